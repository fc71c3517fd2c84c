using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Real clients, cold from the upstream and then hot with the upstream gone and the tag's TTL over.</summary>
[Collection(RegistryCollection.Name)]
public sealed class ClientTests(RegistryFixture fixture)
{
    private static readonly string[] Images = ["library/small:1", "library/docker:1", "library/forty:1", "library/index:1"];

    [ClientFact(Skopeo.Command)]
    public Task Skopeo_pulls_cold_and_then_hot_without_the_upstream() => ColdThenHotAsync((mirror, image, stop) => Skopeo.PullAsync(mirror, image, false, stop), Images);

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public Task Podman_pulls_through_a_mirror_cold_and_then_hot_without_the_upstream() => ColdThenHotAsync(Podman.PullAsync, Images);

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public Task Podman_pulls_by_name_cold_and_then_hot_without_the_upstream() => ColdThenHotAsync(Podman.PullDirectAsync, Images);

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public Task Containerd_pulls_with_a_hosts_toml_mirror_cold_and_then_hot_without_the_upstream() =>
        ColdThenHotAsync((mirror, image, stop) => Containerd.PullAsync(mirror, image, false, stop), Images);

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public Task Docker_pulls_through_registry_mirrors_cold_and_then_hot_without_the_upstream() => ColdThenHotAsync(Docker.PullAsync, Images);

    private async Task ColdThenHotAsync(Func<Uri, string, CancellationToken, Task<PullResult>> pull, string[] images)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = new EntrepotSettings().Add("docker.io", upstream.Url, ("TagTtl", "1s")).Set("DefaultUpstream", "docker.io");
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);

        var cold = new Dictionary<string, string>();
        foreach (var image in images) cold[image] = (await pull(entrepot.Url, image, default)).Digest;

        // Everything came once: no blob was asked for a second time, and no manifest by GET.
        var gets = upstream.Requests(r => r.Method == "GET" && r.Status is 200 or 206);
        Assert.NotEmpty(gets);
        Assert.Equal(gets.Select(r => r.Path + r.Range).Distinct().Count(), gets.Count);
        await Eventually.Async(async () => (await entrepot.MetricsAsync()).Value("entrepot_blobs_stored_total") >= 45, TimeSpan.FromSeconds(20), "everything to be stored");

        // The upstream is gone and every tag is due: all of it comes from the store.
        await upstream.StopAsync();
        upstream.Log.Clear();
        await Eventually.Async(
            async () => (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).XCache == "STALE", TimeSpan.FromSeconds(10), "the tag's TTL to be over");
        foreach (var image in images) Assert.Equal(cold[image], (await pull(entrepot.Url, image, default)).Digest);
        Assert.Empty(upstream.Log.All);
        Assert.Contains("answered 200 STALE", entrepot.LogText, StringComparison.Ordinal);
        Assert.Contains("answered 200 HIT", entrepot.LogText, StringComparison.Ordinal);
    }
}
