namespace Entrepot.Hosting;

/// <summary>A feature of requests that were chosen to be traced although they are hits. Whoever finds it sets <see cref="Tag"/> on the request's activity.</summary>
public sealed class ChosenForTrace
{
    /// <summary>The tag that keeps a hit in the exporter.</summary>
    public const string Tag = "entrepot.chosen";

    /// <summary>The one there is.</summary>
    public static readonly ChosenForTrace Instance = new();

    private ChosenForTrace()
    {
    }
}
