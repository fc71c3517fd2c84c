using Entrepot.Contracts;
using Entrepot.Fetcher;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Cluster;
using Entrepot.UnitTests.Metadata;
using Entrepot.UnitTests.Upstreams;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

/// <summary>One fetcher of a cluster, over a real PostgreSQL by a cable that can be cut at any moment.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FetcherOutageTests(PostgresTestServer server) : DatabaseFacts(server), IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];
    private readonly TempFolder _folder = new("fetcher");
    private readonly List<IAsyncDisposable> _parts = [];
    private TcpRelay _cable = null!;
    private FakeRegistry _upstream = null!;
    private ServiceProvider _services = null!;

    private static FetchRequest Request => Blob(1) with { Reference = Entrepot.Oci.Digest.Sha256Of(Bytes).ToString() };

    public new async Task DisposeAsync()
    {
        if (_services is not null)
        {
            foreach (var service in _services.GetServices<IHostedService>()) await service.StopAsync(None);
            await _services.DisposeAsync();
        }
        foreach (var part in _parts) await part.DisposeAsync();
        _folder.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_claim_whose_answer_is_lost_costs_a_moment_and_not_a_lease()
    {
        await PrepareAsync(() => { });
        var id = await JoinAsync(Request);
        await Database.WriteAsync(async (session, token) =>
        {
            await session.Sql("UPDATE fetches SET wanted_at = wanted_at + 1").ExecuteAsync(token);
            await StartAsync();
            await Eventually.Async(async () => await AskAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0, Deadline, "the claim to wait for the row", token);
            _cable.Cut();
            return 0;
        }, None);
        await Eventually.Async(async () => (await StatusAsync(id)).State == FetchState.Running, Deadline, "the claim to be done");
        var claimedAt = await AskAsync("SELECT claimed_at FROM fetches");
        _cable.Mend();
        await Eventually.Async(async () => (await StatusAsync(id)).State == FetchState.Done, Deadline, "the blob to be stored");
        Assert.InRange(await AskAsync("SELECT claimed_at FROM fetches") - claimedAt, 1, (long)FetchTimings.Lease.TotalMilliseconds - 1000);
    }

    [Fact]
    public async Task Who_knows_of_a_claim_finds_its_spool_before_the_database_has_answered_the_fetchers_first_question()
    {
        await PrepareAsync(() => { });
        var id = await JoinAsync(Request);
        await Database.WriteAsync(async (session, token) =>
        {
            await session.Sql("LOCK TABLE blobs IN ACCESS EXCLUSIVE MODE").ExecuteAsync(token);
            await StartAsync();
            await Eventually.Async(async () => await AskAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0, Deadline, "the question to wait", token);
            Assert.NotNull(await LiveAsync(id));
            return 0;
        }, None);
        await Eventually.Async(async () => (await StatusAsync(id)).State == FetchState.Done, Deadline, "the blob to be stored");
    }

    [Fact]
    public async Task A_database_that_goes_away_before_the_answer_is_written_down_costs_the_download_nothing()
    {
        await PrepareAsync(() => _cable.Cut());
        var id = await JoinAsync(Request);
        await StartAsync();
        ILiveFetch? live = null;
        await Eventually.Async(async () => (live = await LiveAsync(id)) is not null, Deadline, "the claim");
        Assert.Equal(Bytes.Length, (await live!.WaitForAnswerAsync(None).WaitAsync(Deadline))?.Size);
        using var reader = live.OpenOrNull(0)!;
        var got = new byte[Bytes.Length];
        for (var at = 0; at < got.Length;)
        {
            Assert.True(await reader.WaitAsync(at, None).AsTask().WaitAsync(Deadline), $"the download ended at {at}");
            at += await reader.ReadAsync(at, got.AsMemory(at), None);
        }
        Assert.Equal(Bytes, got);
        _cable.Mend();
        await Eventually.Async(async () => (await StatusAsync(id)).State == FetchState.Done, Deadline, "the blob to be stored");
        Assert.True(await Holdings.IsHeldAsync(Request.Reference, None));
        Assert.Equal(1, _upstream.Count("/blobs/"));
        await Eventually.Async(() => !Directory.EnumerateFiles(_folder.File("spool")).Any(), Deadline, "the spool's file to go");
    }

    [Fact]
    public async Task A_database_that_cannot_write_an_answer_down_is_no_outage_of_the_upstream()
    {
        await PrepareAsync(() => { });
        var id = await JoinAsync(Tag("latest"));
        // As often as one unit is tried, and then it can.
        await ExecuteAsync("CREATE SEQUENCE blinks");
        await ExecuteAsync("CREATE FUNCTION blink() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''blinks'') <= 3 THEN RAISE EXCEPTION USING ERRCODE = ''57P03''; END IF; RETURN NEW; END'");
        await ExecuteAsync("CREATE TRIGGER blinks BEFORE UPDATE ON fetch_sources FOR EACH ROW WHEN (NEW.outcome = 'NotFound') EXECUTE FUNCTION blink()");
        await StartAsync();
        await Eventually.Async(async () => (await StatusAsync(id)).State is FetchState.Done or FetchState.Failed, Deadline, "the fetch to be settled");
        Assert.Equal(FetchOutcome.NotFound, (await StatusAsync(id)).Outcome);
    }

    [Fact]
    public async Task Who_has_lost_the_lease_announces_nothing()
    {
        await PrepareAsync(() => { });
        await StoreBlobAsync(1, size: 0);
        var id = await JoinAsync(Blob(1));
        await ExecuteAsync("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
        await ExecuteAsync("CREATE TRIGGER too_late BEFORE UPDATE ON fetches FOR EACH ROW WHEN (NEW.state = 'Done') EXECUTE FUNCTION refuse()");
        await StartAsync();
        await Eventually.Async(async () => (await StatusAsync(id)).Fence > 0 && _services.GetRequiredService<Entrepot.Fetcher.Work.LeaseKeeper>().Running.Count == 0, Deadline, "the fetcher to find that it is held, and to have lost it");
        var said = new List<object>();
        while (_services.GetRequiredService<Outbox>().Waiting.TryRead(out var entry)) said.Add(entry.Message);
        Assert.Empty(said.OfType<FetchFinished>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_nobody_can_come_to_read_any_more_is_left_to_another_fetcher(bool isStoreAway)
    {
        using var answered = new ManualResetEventSlim();
        await PrepareAsync(() => answered.Set(), isStoreAway, hangs: !isStoreAway);
        var id = await JoinAsync(Request);
        await StartAsync();
        await Eventually.Async(() => answered.IsSet, Deadline, "the upstream to be asked");
        if (isStoreAway) await Eventually.Async(async () => (await LiveAsync(id))?.OpenOrNull(0) is { } source && await AllIsThereAsync(source), Deadline, "the bytes to be verified");
        var draining = _services.GetRequiredService<Draining>();
        draining.Begin();
        Assert.Equal(FetchState.Running, (await StatusAsync(id)).State);
        draining.Close();
        await Eventually.Async(async () => (await StatusAsync(id)).State == FetchState.Queued, TimeSpan.FromSeconds(20), "the row to go back");

        static async Task<bool> AllIsThereAsync(IBlobSource source)
        {
            using (source) return await source.WaitAsync(Bytes.Length - 1, None).AsTask().WaitAsync(Deadline);
        }
    }

    private async Task<ILiveFetch?> LiveAsync(Guid id) => await _services.GetRequiredService<LiveSpools>().FindOrNullAsync(id, (await StatusAsync(id)).Fence, "", None);

    private Task<long> AskAsync(string sql) => Database.ReadAsync((session, token) => session.Sql(sql).FirstOrDefaultAsync(row => row.GetInt64(0), token), None);

    private async Task PrepareAsync(Action atUpstream, bool isStoreAway = false, bool hangs = false)
    {
        var port = (int)await AskAsync("SELECT inet_server_port()::bigint");
        var name = await Database.ReadAsync((session, token) => session.Sql("SELECT current_database()::text").FirstOrDefaultAsync(row => row.GetString(0), token), None);
        _parts.Add(_cable = new TcpRelay(() => port));
        _parts.Add(_upstream = await FakeRegistry.StartAsync(async (context, fake) =>
        {
            atUpstream();
            if (!context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            context.Response.ContentLength = Bytes.Length;
            if (hangs) await Task.Delay(Timeout.Infinite, fake.Closing);
            await context.Response.Body.WriteAsync(Bytes);
        }));
        var services = new ServiceCollection();
        services.AddLogging().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton(new FetcherOptions()).AddSingleton(new FetcherIdentity("f1", "http://f1/"));
        services.AddSingleton<IDatabase>(new PostgresDatabase(server.Server.ConnectionString(name!) + $";Port={_cable.Port}", TimeSpan.FromSeconds(2)));
        services.AddSingleton<FetchQueue>().AddSingleton<Holdings>().AddSingleton<Draining>().AddSingleton<Outbox>(p => new(p.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton<IBlobStore>(isStoreAway ? S3BlobStoreTests.NewStore(new Uri("http://127.0.0.1:9")) : new FileBlobStore(_folder.File("blobs"))).AddSingleton(new SpoolFolder(_folder.File("spool"), TimeProvider.System, isKept: false)).AddSingleton<LiveSpools>();
        services.AddSingleton(new UpstreamCatalog([new(Hub, new UpstreamOptions { Url = _upstream.Url })], null)).AddSingleton<UpstreamClient>();
        _services = services.AddFetcher().BuildServiceProvider();
    }

    private async Task StartAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>()) await service.StartAsync(None);
    }
}
