using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.IntegrationTests;

/// <summary>A tag that is pulled only to see time pass: what has happened to it has happened to every tag of its upstream that was pulled before it.</summary>
internal sealed class SentinelTag(EntrepotProcess entrepot)
{
    private const string Repository = "library/sentinel";
    private readonly string _tag = $"t{Guid.NewGuid():N}";

    private string Path => $"/{Repository}/manifests/{_tag}";

    /// <summary>Waits until all that was confirmed so far is due: the upstream was asked for a tag again that was pulled only now. Comes before any fault.</summary>
    public static async Task UntilDueAsync(RegistryFixture fixture, UpstreamFront upstream, EntrepotProcess entrepot)
    {
        var last = await PulledAsync(fixture, entrepot);
        await Eventually.Async(async () =>
        {
            await last.PullAsync();
            return upstream.Log.Matching(last.Path, "HEAD").Count == 2;
        }, TimeSpan.FromSeconds(10), "the TTL to be over");
    }

    /// <summary>Waits until no check that failed so far counts any longer: one that failed only now has been followed by another. All is due then, too.</summary>
    public static async Task UntilFailuresAreOverAsync(RegistryFixture fixture, UpstreamFront upstream, EntrepotProcess entrepot)
    {
        var last = await PulledAsync(fixture, entrepot);
        // Denied is remembered longer than that: the second check is made, but does not reach the upstream.
        var denial = upstream.Inject(Fault.Status(403), last.Path);
        await Eventually.Async(async () =>
        {
            await last.PullAsync();
            return entrepot.LogText.Split($"{Repository}:{last._tag} served stale").Length > 2;
        }, TimeSpan.FromSeconds(15), "the failed check to be over");
        denial.Heal();
    }

    private static async Task<SentinelTag> PulledAsync(RegistryFixture fixture, EntrepotProcess entrepot)
    {
        var sentinel = new SentinelTag(entrepot);
        await fixture.Registry.PushAsync(fixture.Small, Repository, sentinel._tag);
        await sentinel.PullAsync();
        return sentinel;
    }

    private Task<BlobRead> PullAsync() => BlobReader.ReadManifestAsync(entrepot.Url, Repository, _tag);
}
