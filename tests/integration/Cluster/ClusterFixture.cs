using System.Net;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Telemetry;
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

    /// <summary>The fetcher that alone can be cut from the database and the broker.</summary>
    public const string Relayed = "fetcher-1";

    /// <summary>A tag whose word counts for a second. That of others counts for a minute.</summary>
    public const string DueSoon = "soon";

    public static IReadOnlyList<string> Fetchers { get; } = ["fetcher-1", "fetcher-2", "fetcher-3"];

    public static IReadOnlyList<string> Services { get; } = ["api-1", "api-2", "api-3", .. Fetchers, "janitor-1"];

    public EntrepotCluster Cluster { get; private set; } = null!;

    public UpstreamFront Upstream { get; private set; } = null!;

    /// <summary>Between <see cref="Relayed"/> and the database.</summary>
    public TcpRelay Database { get; private set; } = null!;

    /// <summary>Between <see cref="Relayed"/> and the broker.</summary>
    public TcpRelay Broker { get; private set; } = null!;

    /// <summary>What the janitor takes for the S3 server.</summary>
    public S3Front Store { get; private set; } = null!;

    /// <summary>What the last api replica takes for the S3 server.</summary>
    public S3Front ApiStore { get; private set; } = null!;

    /// <summary>Where the cluster sends its logs and traces.</summary>
    public OtlpReceiver Seq { get; private set; } = null!;

    public RegistryFixture Images => _registry;

    /// <summary>Where redirected clients reach the S3 server, by another name and port than the services do.</summary>
    public TcpRelay PublicStore { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await _registry.InitializeAsync();
        Upstream = await UpstreamFront.StartNewAsync(_registry.Registry.Url);
        PublicStore = new TcpRelay(() => Cluster.UrlOf("s3").Port);
        Seq = await OtlpReceiver.StartNewAsync();
        // What is left behind is looked for all the time.
        var settings = EntrepotSettings.WithUpstream(Upstream.Url)
            .Add(EntrepotSettings.DefaultUpstream, Upstream.Url, ("TagTtls", new Dictionary<string, object?> { [$"^{DueSoon}$"] = "1s" }))
            .Set("Janitor", new Dictionary<string, object?> { ["SweepInterval"] = "1s", ["OrphanInterval"] = "1s", ["OrphanGrace"] = "2s" })
            .Set("Store", new Dictionary<string, object?> { ["RedirectNetworks"] = new[] { $"{RedirectedClient}/32" }, ["PublicEndpoint"] = $"http://localhost:{PublicStore.Port}", ["MultipartFrom"] = "256MiB" })
            .Set("Api", new Dictionary<string, object?> { ["TrustedProxies"] = new[] { $"{TrustedProxy}" } })
            .Set("Telemetry", new Dictionary<string, object?> { ["OtlpEndpoint"] = Seq.Url });
        Cluster = await EntrepotCluster.StartNewAsync(settings, apis: 3, fetchers: 3, async ports =>
        {
            (Database, Broker) = (new TcpRelay(() => ports.Postgres), new TcpRelay(() => ports.RabbitMq));
            (Store, ApiStore) = (await S3Front.StartNewAsync(new Uri($"http://127.0.0.1:{ports.S3}")), await S3Front.StartNewAsync(new Uri($"http://127.0.0.1:{ports.S3}")));
            return new Dictionary<string, string[]>
            {
                [Relayed] =
                [
                    $"Entrepot__Database__ConnectionString=Host=127.0.0.1;Port={Database.Port};Database=entrepot;Username=entrepot",
                    $"Entrepot__Bus__Url=amqp://127.0.0.1:{Broker.Port}/",
                ],
                ["janitor-1"] = [$"Entrepot__Store__Endpoint={Store.Url}"],
                ["api-3"] = [$"Entrepot__Store__Endpoint={ApiStore.Url}"],
            };
        });
    }

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await Database.DisposeAsync();
        await Broker.DisposeAsync();
        await Store.DisposeAsync();
        await ApiStore.DisposeAsync();
        await PublicStore.DisposeAsync();
        await Upstream.DisposeAsync();
        await Seq.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Makes all whole again that a test may have broken: the cluster, its upstream, the relays, the front of the store.</summary>
    public async Task MendAsync()
    {
        Upstream.HealAll();
        (Upstream.BytesPerSecond, Upstream.Latency) = (null, TimeSpan.Zero);
        foreach (var front in new[] { Store, ApiStore }) front.HealAll();
        await Upstream.StartAsync();
        foreach (var relay in new[] { Database, Broker, PublicStore }) relay.Mend();
        await Cluster.MendAsync();
    }

    /// <summary>Waits until a blob is committed.</summary>
    public Task UntilStoredAsync(string digest) =>
        Eventually.Async(async () => await Cluster.QueryAsync($"SELECT count(*) FROM blobs WHERE digest = '{digest}'") == "1", TimeSpan.FromSeconds(30), $"{digest} to be stored");

    /// <summary>The fetcher that downloads a blob or did so last, as its row says.</summary>
    public async Task<string> NameOfOwnerAsync(string digest)
    {
        var address = await Cluster.QueryAsync($"SELECT owner_address FROM fetches WHERE kind = 'Blob' AND reference = '{digest}' ORDER BY fence DESC LIMIT 1");
        return Cluster.NameOf(new Uri(address));
    }

    /// <summary>From now on there is no fetcher but <see cref="Relayed"/>.</summary>
    public Task KillOtherFetchersAsync() => Task.WhenAll(OtherFetchers.Select(name => Cluster.KillAsync(name)));

    /// <summary>Now there are all.</summary>
    public Task StartOtherFetchersAsync() => Task.WhenAll(OtherFetchers.Select(name => Cluster.StartAsync(name)));

    /// <summary>An image of one layer that nobody has pulled yet, at the upstream as <c>cold/NAME</c> with the tags 1 and <see cref="DueSoon"/>.</summary>
    public async Task<(string Repository, Layer Layer)> NewImageAsync(int mebibytes)
    {
        var seed = Interlocked.Increment(ref _seed);
        var image = await ImageMaker.BigAsync(mebibytes, seed, _folder);
        var repository = $"cold/image{seed}";
        foreach (var tag in new[] { "1", DueSoon }) await _registry.Registry.PushAsync(image, repository, tag);
        return (repository, image.Layers[0]);
    }

    /// <summary>An image of many small layers that nobody has pulled yet, at the upstream as <c>cold/NAME:1</c>.</summary>
    public async Task<(string Repository, IReadOnlyList<Layer> Layers)> NewImageOfLayersAsync(int count)
    {
        var seed = Interlocked.Increment(ref _seed);
        var image = ImageMaker.FromLayers([.. Enumerable.Range(0, count).Select(i => LayerMaker.Incompressible(64 << 10, (seed * 1000) + i))]);
        var repository = $"cold/image{seed}";
        await _registry.Registry.PushAsync(image, repository);
        return (repository, image.Layers);
    }

    /// <summary>An image of 2 MiB that is stored, and known to the first replica.</summary>
    public async Task<(string Repository, Layer Layer)> NewHeldImageAsync()
    {
        var (repository, layer) = await NewImageAsync(2);
        await BlobReader.ReadManifestAsync(Cluster.Apis[0], repository, "1");
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Cluster.Apis[0], repository, layer.Digest) is { XCache: "HIT" }, TimeSpan.FromSeconds(20), "the blob to be held");
        return (repository, layer);
    }

    private static IEnumerable<string> OtherFetchers => Fetchers.Where(name => name != Relayed);
}

/// <summary>Tests that share the cluster, one after the other; see <see cref="ClusterTest"/>.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterCollection : ICollectionFixture<ClusterFixture>
{
    public const string Name = "cluster";
}
