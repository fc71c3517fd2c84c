namespace Entrepot.Standalone;

/// <summary>All log messages of the standalone host; ids 4000–4999.</summary>
internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Warning, "{Warning}")]
    public static partial void UpstreamExposed(this ILogger log, string warning);
}
