using Entrepot.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Cluster;

/// <summary>
/// Brings the database's schema up to date as soon as the database is there: processes may start in any order. Whichever is first does it, under a lock.
/// </summary>
internal sealed partial class SchemaReady(IDatabase database, TimeProvider time, ILogger<SchemaReady> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private volatile bool _isReady;

    /// <summary>Whether the schema is there.</summary>
    public bool IsReady => _isReady;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (string? said = null; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                await database.MigrateAsync(stoppingToken);
                _isReady = true;
                return;
            }
            catch (DatabaseUnavailableException e)
            {
                if (e.Message != said) NotYet(log, said = e.Message);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                if (e.Message != said) Failed(log, e, said = e.Message);
            }
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(9101, LogLevel.Warning, "The database is not there yet, it is tried every second: {Reason}")]
    private static partial void NotYet(ILogger logger, string reason);

    [LoggerMessage(9102, LogLevel.Error, "The schema could not be brought up to date, it is tried every second: {Reason}")]
    private static partial void Failed(ILogger logger, Exception exception, string reason);
}
