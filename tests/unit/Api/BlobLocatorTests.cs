using Entrepot.Api;
using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Api.Tail;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Storage;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Cluster;
using Entrepot.UnitTests.Metadata;
using Entrepot.UnitTests.Upstreams;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Api;

/// <summary>What a replica does about an owner that is of no use, and about a fetch that ends with nothing for it.</summary>
public sealed class BlobLocatorTests() : DatabaseFacts(new SqliteTestServer())
{
    private static readonly TimeSpan Headers = TimeSpan.FromMinutes(2), Deadline = TimeSpan.FromSeconds(30);
    private static readonly UpstreamCatalog Catalog = new(new Dictionary<string, UpstreamOptions?> { [Hub] = new() { Url = new Uri("http://127.0.0.1:9") } }, Hub);

    [Fact]
    public async Task An_owner_that_takes_the_question_and_says_nothing_is_suspected_until_it_renews()
    {
        await using var owner = await FakeRegistry.StartAsync(async (http, fake) =>
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, fake.Closing);
            await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using var api = await Replica.StartAsync(this);
        using var locator = await api.JoinAsync();
        var claim = await ClaimAtAsync(owner);
        using var enough = new CancellationTokenSource();
        var waiting = locator.WaitForAnswerAsync(_ => null, Headers, enough.Token);

        await Eventually.Async(IsSuspectedAsync, Deadline, "the owner to be suspected");
        Assert.Equal([claim.Id], await Queue.RenewAsync(claim.Owner, [new LeaseProgress(claim.Id, claim.Fence, 0)], None));
        Assert.False(await IsSuspectedAsync());
        await Eventually.Async(IsSuspectedAsync, Deadline, "the owner, silent again, to be suspected");
        Advance(3);
        Assert.Equal(claim.Id, (await ClaimAsync("f2")).Id);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task An_owner_that_knows_nothing_of_its_claim_is_asked_at_each_look_and_suspected_at_the_second()
    {
        await using var owner = await FakeRegistry.StartAsync((http, _) =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        await using var api = await Replica.StartAsync(this);
        using var locator = await api.JoinAsync();
        await ClaimAtAsync(owner);
        await api.LookAsync();
        // As a body does that has begun.
        using var enough = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            while (await locator.LocateAsync(0, 10, enough.Token) is { } source)
                using (source) Assert.False(await source.WaitAsync(0, enough.Token));
        });
        await Eventually.Async(IsSuspectedAsync, Deadline, "the owner to be suspected");
        Assert.InRange(owner.Count("/content"), 2, 4);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task What_a_second_try_is_refused_with_is_what_its_client_is_told()
    {
        await using var api = await Replica.StartAsync(this);
        using var locator = await api.JoinAsync();
        await JoinAsync(Blob(1, repository: "library/other"));
        var claim = await ClaimAsync();
        await FailAsync(claim, FetchOutcome.RateLimited, TimeSpan.FromSeconds(30));
        // The other source's bytes went past a full disk to those who were there.
        Assert.Equal(CommitResult.Committed, await Queue.FinishWithoutContentAsync(claim.Id, claim.Fence, None));
        await api.LookAsync();
        Assert.Null(await locator.WaitForAnswerAsync(_ => null, Headers, None));
        Assert.Equal(FetchOutcome.RateLimited, locator.Failure?.Outcome);
    }

    [Fact]
    public async Task A_fetch_has_progressed_when_its_owner_says_so_and_not_when_another_begins()
    {
        await using var api = await Replica.StartAsync(this);
        using var locator = await api.JoinAsync();
        Assert.False(locator.HasProgressed());
        var claim = await Queue.ClaimAsync(new ClaimOptions { Owner = "f1", Address = "http://f1/" }, None);
        Assert.False(await HasAfterAsync("f1", 0));
        Assert.True(await HasAfterAsync("f1", 5));
        Assert.False(await HasAfterAsync("f1", 5));
        Advance(60);
        claim = await Queue.ClaimAsync(new ClaimOptions { Owner = "f2", Address = "http://f2/" }, None);
        Assert.False(await HasAfterAsync("f2", 7));
        Assert.True(await HasAfterAsync("f2", 8));

        async Task<bool> HasAfterAsync(string owner, long progress)
        {
            await Queue.RenewAsync(owner, [new LeaseProgress(claim!.Id, claim.Fence, progress)], None);
            await api.LookAsync();
            return locator.HasProgressed();
        }
    }

    [Fact]
    public async Task A_body_whose_store_and_database_are_away_is_looked_after_until_one_is_back()
    {
        await using var database = new AwayDatabase(Database) { IsAway = true };
        using var store = S3BlobStoreTests.NewStore(new Uri("http://127.0.0.1:9"));
        await using var api = await Replica.StartAsync(this, database, store);
        using var locator = api.Held();
        for (var look = 0; look < 5; look++) await Assert.ThrowsAsync<DatabaseUnavailableException>(async () => await locator.LocateAsync(0, 10, None));
        database.IsAway = false;
        using var enough = new CancellationTokenSource();
        var locating = locator.LocateAsync(0, 10, enough.Token).AsTask();
        await Eventually.Async(async () => await CountAsync("fetches WHERE state = 'Queued'") == 1, Deadline, "the blob to be fetched again");
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => locating);
    }

    private async Task<(Guid Id, long Fence, string Owner)> ClaimAtAsync(FakeRegistry owner)
    {
        var claim = await Queue.ClaimAsync(new ClaimOptions { Owner = "f1", Address = owner.Url.ToString() }, None);
        return (claim!.Id, claim.Fence, "f1");
    }

    private async Task<bool> IsSuspectedAsync() => await CountAsync("fetches WHERE suspected_at IS NOT NULL") == 1;

    /// <summary>The parts of an api replica that find a blob's bytes.</summary>
    private sealed class Replica : IAsyncDisposable
    {
        private readonly TempFolder _folder = new("replica");
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly RemoteFetches _live = new(new InternalSettings { Token = "token-of-the-tests-alone" }, TimeProvider.System, NullLogger<RemoteFetches>.Instance);
        private readonly FetchWaits _waits;
        private readonly FetchGate _gate;
        private readonly BlobLocators _locators;
        private Guid _id;

        private Replica(IDatabase database, IBlobStore? store)
        {
            var (queue, holdings) = (new FetchQueue(database), new Holdings(database));
            _waits = new FetchWaits(queue, TimeProvider.System, NullLogger<FetchWaits>.Instance);
            _gate = new FetchGate(queue, _waits, new Outbox(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
            var index = new ContentIndex(holdings, Catalog, new ApiOptions(), TimeProvider.System, new IndexRefresher(NullLogger<IndexRefresher>.Instance));
            _locators = new BlobLocators(index, holdings, queue, _gate, store ?? new FileBlobStore(_folder.File("blobs")), _live, TimeProvider.System, NullLogger<BlobLocator>.Instance);
        }

        public static async Task<Replica> StartAsync(BlobLocatorTests test, IDatabase? database = null, IBlobStore? store = null)
        {
            var replica = new Replica(database ?? test.Database, store);
            await replica._waits.StartAsync(None);
            return replica;
        }

        /// <summary>A client has come for the first blob.</summary>
        public async Task<BlobLocator> JoinAsync()
        {
            var (ticket, _) = await _gate.JoinAsync(FetchKind.Blob, Catalog.Default!, Nginx, Digest(1), null, false, None);
            _id = ticket!.Status!.Id;
            return _locators.Create(Catalog.Default!, new ContentKey(Hub, Nginx, Digest(1)), ticket);
        }

        /// <summary>A client has come for the first blob, which is stored.</summary>
        public BlobLocator Held() => _locators.Create(Catalog.Default!, new ContentKey(Hub, Nginx, Digest(1)), new BlobEntry { LoadedAt = 0, Digest = Entrepot.Oci.Digest.Parse(Digest(1)), Fence = 1, Size = 10 });

        /// <summary>The row is looked at now.</summary>
        public Task LookAsync() => _waits.SignalAsync(_id, None);

        public async ValueTask DisposeAsync()
        {
            await _waits.StopAsync(None);
            _waits.Dispose();
            _live.Dispose();
            await _services.DisposeAsync();
            _folder.Dispose();
        }
    }

    private sealed class AwayDatabase(IDatabase database) : IDatabase
    {
        public bool IsAway { get; set; }

        public SqlDialect Dialect => database.Dialect;

        private IDatabase Found => IsAway ? throw new DatabaseUnavailableException("away") : database;

        public Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => Found.WriteAsync(work, cancellationToken);

        public Task<T> WriteStatementAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, bool isRepeatable, CancellationToken cancellationToken) => Found.WriteStatementAsync(work, isRepeatable, cancellationToken);

        public Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => Found.ReadAsync(work, cancellationToken);

        public Task MigrateAsync(CancellationToken cancellationToken) => Found.MigrateAsync(cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
