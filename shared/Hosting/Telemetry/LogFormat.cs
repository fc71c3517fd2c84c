namespace Entrepot.Hosting;

/// <summary>How the console log is written.</summary>
public enum LogFormat
{
    /// <summary>A line for people: time, level, category, message.</summary>
    Text,

    /// <summary>A JSON object on a line.</summary>
    Json,
}
