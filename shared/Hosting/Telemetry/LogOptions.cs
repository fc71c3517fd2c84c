using System.ComponentModel;

namespace Entrepot.Hosting;

/// <summary>The console log.</summary>
public sealed class LogOptions
{
    /// <summary>The least level of Entrepot's own entries.</summary>
    [Description("The least level of Entrepot's own log entries")]
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>The least level of what the web server, the bus and other libraries log.</summary>
    [Description("The least level of what the web server, the bus and other libraries log")]
    public LogLevel FrameworkLevel { get; set; } = LogLevel.Warning;

    /// <summary>Lines for people or for programs.</summary>
    [Description("One readable line, or one JSON object, for each entry")]
    public LogFormat Format { get; set; } = LogFormat.Text;
}
