using Entrepot.Hosting;
using Entrepot.Storage;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// A fetcher that is told to stop stays open to the api's replicas while they read its downloads: who loses a connection meanwhile, or comes
/// to such a blob now, finds the bytes nowhere else. What nobody has read for a second is left to another fetcher.
/// </summary>
internal sealed class OpenWhileRead(LiveSpools live) : IBeforeStop
{
    private const int MostLooks = 10;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        for (var unread = 0; unread < MostLooks && live.Count > 0;)
        {
            await Task.Delay(BetweenLooks, cancellationToken);
            unread = live.AreRead ? 0 : unread + 1;
        }
    }
}
