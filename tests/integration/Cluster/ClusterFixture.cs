using System.Net;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Three api replicas and three fetchers over real servers, and an upstream in front of the registry that can be shaped and broken.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    /// <summary>Where clients come from that are redirected to the store, and where a proxy that is trusted does. All others come from 127.0.0.1.</summary>
    public static readonly IPAddress RedirectedClient = IPAddress.Parse("127.0.0.77"), TrustedProxy = IPAddress.Parse("127.0.0.78");

    private readonly RegistryFixture _registry = new();
    private readonly TempFolder _folder = new("cimages");
    private int _seed = 1000;

    public EntrepotCluster Cluster { get; private set; } = null!;

    public UpstreamFront Upstream { get; private set; } = null!;

    public RegistryFixture Images => _registry;

    /// <summary>Where redirected clients reach the S3 server, by another name and port than the services do.</summary>
    public TcpRelay PublicStore { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await _registry.InitializeAsync();
        Upstream = await UpstreamFront.StartNewAsync(_registry.Registry.Url);
        PublicStore = new TcpRelay(() => Cluster.UrlOf("s3").Port);
        // What is left behind is looked for all the time.
        var settings = EntrepotSettings.WithUpstream(Upstream.Url).Set("Janitor", new Dictionary<string, object?> { ["SweepInterval"] = "1s", ["OrphanGrace"] = "2s" })
            .Set("Store", new Dictionary<string, object?> { ["RedirectNetworks"] = new[] { $"{RedirectedClient}/32" }, ["PublicEndpoint"] = $"http://localhost:{PublicStore.Port}" })
            .Set("Api", new Dictionary<string, object?> { ["TrustedProxies"] = new[] { $"{TrustedProxy}" } });
        Cluster = await EntrepotCluster.StartNewAsync(settings, apis: 3, fetchers: 3);
    }

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await PublicStore.DisposeAsync();
        await Upstream.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>An image of one layer that nobody has pulled yet, at the upstream as <c>cold/NAME:1</c>.</summary>
    public async Task<(string Repository, Layer Layer)> NewImageAsync(int mebibytes)
    {
        var seed = Interlocked.Increment(ref _seed);
        var image = await ImageMaker.BigAsync(mebibytes, seed, _folder);
        var repository = $"cold/image{seed}";
        await _registry.Registry.PushAsync(image, repository);
        return (repository, image.Layers[0]);
    }
}

/// <summary>Tests that share the cluster, one after the other: what they break they mend.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterCollection : ICollectionFixture<ClusterFixture>
{
    public const string Name = "cluster";
}
