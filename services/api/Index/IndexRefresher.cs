using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Index;

/// <summary>Reads index entries again in the background. When it can't keep up, or the database is down, the old entries go on being served.</summary>
internal sealed class IndexRefresher(ILogger<IndexRefresher> log) : BackgroundService
{
    private readonly Channel<Func<CancellationToken, Task>> _queue = Channel.CreateBounded<Func<CancellationToken, Task>>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Enqueue(Func<CancellationToken, Task> refresh) => _queue.Writer.TryWrite(refresh);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var refresh in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await refresh(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.RefreshFailed(e.Message);
            }
        }
    }
}
