using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

/// <summary>What all suites need: a fresh database, and short words for the usual steps.</summary>
public abstract class DatabaseFacts(ITestServer server) : IAsyncLifetime
{
    protected const string Hub = "docker.io";
    protected const string Nginx = "library/nginx";
    protected static readonly CancellationToken None = CancellationToken.None;

    protected IDatabase Database { get; private set; } = null!;

    protected FetchQueue Queue { get; private set; } = null!;

    protected Holdings Holdings { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await server.CreateAsync();
        Queue = new(Database);
        Holdings = new(Database);
    }

    public async Task DisposeAsync()
    {
        await Database.DisposeAsync();
        await server.DropAsync();
    }

    protected void Advance(double seconds) => Database.Dialect.ClockOffset += TimeSpan.FromSeconds(seconds);

    protected static string Digest(int n) => $"sha256:{n:x64}";

    protected static FetchRequest Blob(int n, string upstream = Hub, string repository = Nginx, bool prefetch = false, long? size = null, string domain = "public") => new()
    {
        Kind = FetchKind.Blob, Upstream = upstream, Repository = repository, Reference = Digest(n), TrustDomain = domain, Prefetch = prefetch, ExpectedSize = size,
    };

    protected static FetchRequest Tag(string tag, string upstream = Hub, string repository = Nginx) => new()
    {
        Kind = FetchKind.Tag, Upstream = upstream, Repository = repository, Reference = tag, TrustDomain = "public",
    };

    protected static ClaimOptions By(string owner) => new() { Owner = owner, Address = $"http://{owner}" };

    protected async Task<Guid> JoinAsync(FetchRequest request) => (await Queue.JoinAsync(request, None)).Status.Id;

    protected async Task<ClaimedFetch> ClaimAsync(string owner = "f1") => await Queue.ClaimAsync(By(owner), None) ?? throw new InvalidOperationException("Nothing to claim");

    protected async Task<ClaimedFetch> JoinAndClaimAsync(FetchRequest request)
    {
        var id = await JoinAsync(request);
        var claimed = await ClaimAsync();
        Assert.Equal(id, claimed.Id);
        return claimed;
    }

    protected async Task<FetchStatus> StatusAsync(Guid id) => Assert.Single(await Queue.ReadAsync([id], None));

    protected Task<SourceSettlement> FailAsync(ClaimedFetch fetch, FetchOutcome outcome, TimeSpan? retryAfter = null, string upstream = Hub, string repository = Nginx) =>
        Queue.SettleSourceAsync(fetch.Id, fetch.Fence, upstream, repository, outcome, $"it was {outcome}", retryAfter, None);

    protected Task<CommitResult> CommitBlobAsync(ClaimedFetch fetch, string upstream = Hub, string repository = Nginx, long size = 100) =>
        Queue.CommitBlobAsync(fetch.Id, fetch.Fence, fetch.Reference, size, upstream, repository, None);

    protected async Task StoreBlobAsync(int n, long size = 100, string upstream = Hub, string repository = Nginx, string domain = "public") =>
        Assert.Equal(CommitResult.Committed, await CommitBlobAsync(await JoinAndClaimAsync(Blob(n, upstream, repository, domain: domain)), upstream, repository, size));

    protected static StoredManifest Manifest(int n, params ReadOnlySpan<ManifestReference> references) => new()
    {
        Digest = Digest(n), MediaType = "application/vnd.oci.image.manifest.v1+json", Bytes = [1, 2, 3, (byte)n], References = references.ToArray(),
    };

    protected static ManifestReference Layer(int n, long size = 100) => new(Digest(n), ReferenceRole.Layer, size, "application/vnd.oci.image.layer.v1.tar+gzip", null);

    protected async Task StoreManifestAsync(StoredManifest manifest, string? tag = null, string upstream = Hub, string repository = Nginx)
    {
        var fetch = await JoinAndClaimAsync(tag is not null ? Tag(tag, upstream, repository) : new()
        {
            Kind = FetchKind.Manifest, Upstream = upstream, Repository = repository, Reference = manifest.Digest, TrustDomain = "public",
        });
        var update = tag is null ? null : new TagUpdate(upstream, repository, tag, manifest.Digest, 0);
        Assert.NotEqual(CommitResult.LeaseLost, await Queue.CommitManifestAsync(fetch.Id, fetch.Fence, manifest, upstream, repository, update, None));
    }

    protected Task<int> ExecuteAsync(string sql) => Database.WriteAsync((session, token) => session.Sql(sql).ExecuteAsync(token), None);

    protected Task<long> CountAsync(string table) => Database.ReadAsync((session, token) => session.Sql($"SELECT count(*) FROM {table}").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
}
