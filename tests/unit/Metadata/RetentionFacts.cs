using Entrepot.Metadata;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

public sealed class RetentionOnSqlite() : RetentionFacts(new SqliteTestServer());

[Collection(PostgresCollection.Name)]
public sealed class RetentionOnPostgres(PostgresTestServer server) : RetentionFacts(server);

/// <summary>Accesses, and what may go.</summary>
public abstract class RetentionFacts(ITestServer server) : DatabaseFacts(server)
{
    private Retention Retention => new(Database);

    private AccessStore Accesses => new(Database);

    [Fact]
    public async Task An_access_touches_the_closure_of_what_is_held()
    {
        await StoreBlobAsync(1);
        await StoreBlobAsync(2);
        await StoreBlobAsync(3);
        await StoreManifestAsync(Manifest(10, Layer(1), Layer(2), Layer(99)));
        await StoreManifestAsync(Manifest(11, Child(10), Child(98)));
        await Accesses.RecordAsync([new(Digest(11), 2, 5000), new(Digest(1), 3, 4000), new("sha256:unknown", 1, 4000)], None);
        await Accesses.RecordAsync([new(Digest(1), 1, 3000)], None);
        Assert.Equal([(Digest(1), 5000L, 6L), (Digest(2), 5000L, 2L), (Digest(10), 5000L, 2L), (Digest(11), 5000L, 2L)], await ReadAccessesAsync());
        await Accesses.RecordAsync([], None);
    }

    [Fact]
    public async Task A_clock_that_runs_ahead_makes_nothing_immortal()
    {
        await StoreBlobAsync(1);
        await Accesses.RecordAsync([new(Digest(1), 1, long.MaxValue / 2)], None);
        Advance(60);
        Assert.Single(await Retention.LeastRecentlyUsedAsync(1, TimeSpan.FromSeconds(50), None));
    }

    [Fact]
    public async Task A_manifest_that_lists_the_same_child_a_thousand_times_costs_once()
    {
        await StoreBlobAsync(1);
        var parent = Manifest(10, Enumerable.Repeat(Layer(1), 1000).ToArray());
        await StoreManifestAsync(parent);
        for (var i = 11; i < 14; i++) await StoreManifestAsync(Manifest(i, Enumerable.Repeat(Child(i - 1), 1000).ToArray()));
        await Accesses.RecordAsync([new(Digest(13), 1, 7)], None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Contains((Digest(1), 7L, 1L), await ReadAccessesAsync());
    }

    [Fact]
    public async Task Accesses_recorded_by_several_at_once_add_up()
    {
        for (var i = 0; i < 10; i++) await StoreBlobAsync(i);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Task.Run(() =>
            Accesses.RecordAsync(Enumerable.Range(0, 10).Select(i => new AccessRecord(Digest(n % 2 == 0 ? i : 9 - i), 1, 1000 + n)).ToList(), None))));
        Assert.All(await ReadAccessesAsync(), access => Assert.Equal((1019L, 20L), (access.LastAt, access.Count)));
    }

    [Fact]
    public async Task The_least_recently_used_go_first_and_only_as_many_as_are_needed()
    {
        for (var i = 1; i <= 4; i++)
        {
            await StoreBlobAsync(i, size: 10 * i);
            Advance(10);
        }
        Assert.Equal(100, await Retention.StoredBytesAsync(None));
        await Accesses.RecordAsync([new(Digest(1), 1, await NowAsync())], None);
        Assert.Equal([Digest(2), Digest(3)], (await Retention.LeastRecentlyUsedAsync(21, TimeSpan.Zero, None)).Select(c => c.Digest));
        Assert.Equal([Digest(2)], (await Retention.LeastRecentlyUsedAsync(20, TimeSpan.Zero, None)).Select(c => c.Digest));
        Assert.Equal([Digest(2)], (await Retention.LeastRecentlyUsedAsync(1000, TimeSpan.FromSeconds(25), None)).Select(c => c.Digest));
        Assert.Empty(await Retention.LeastRecentlyUsedAsync(0, TimeSpan.Zero, None));
    }

    [Fact]
    public async Task A_victim_that_is_used_replaced_or_asked_for_again_is_spared()
    {
        for (var i = 1; i <= 4; i++) await StoreBlobAsync(i);
        var victims = await Retention.LeastRecentlyUsedAsync(1000, TimeSpan.Zero, None);
        Assert.Equal(4, victims.Count);
        var victim = victims.ToDictionary(v => v.Digest);
        Advance(1);
        await Accesses.RecordAsync([new(Digest(1), 1, await NowAsync())], None);
        await JoinAsync(Blob(2, "private.io", domain: "private.io"));
        await Holdings.ForgetBlobAsync(Digest(3), victim[Digest(3)].Fence, None);

        Assert.False(await Retention.EvictAsync(victim[Digest(1)], None));
        Assert.False(await Retention.EvictAsync(victim[Digest(2)], None));
        Assert.False(await Retention.EvictAsync(victim[Digest(3)], None));
        Assert.True(await Retention.EvictAsync(victim[Digest(4)], None));
        Assert.False(await Retention.EvictAsync(victim[Digest(4)], None));
        Assert.Equal(200, await Retention.StoredBytesAsync(None));
        Assert.Equal([Digest(1)], (await Retention.LeastRecentlyUsedAsync(1000, TimeSpan.Zero, None)).Select(c => c.Digest));
    }

    [Fact]
    public async Task Bytes_another_domain_has_just_found_already_stored_are_spared()
    {
        await StoreBlobAsync(1);
        var victim = Assert.Single(await Retention.LeastRecentlyUsedAsync(1, TimeSpan.Zero, None));
        Advance(1);
        Assert.Equal(CommitResult.AlreadyStored, await CommitBlobAsync(await JoinAndClaimAsync(Blob(1, "private.io", domain: "private.io")), "private.io"));
        Assert.False(await Retention.EvictAsync(victim, None));
    }

    [Fact]
    public async Task The_orphan_sweep_learns_what_is_referenced_written_and_active()
    {
        await StoreBlobAsync(1);
        var held = (await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None)).Held!;
        var running = await JoinAndClaimAsync(Blob(2));
        var queued = await JoinAsync(Blob(3));
        Assert.Equal([new(Digest(1), held.Fence)], await Retention.FindReferencedAsync([new(Digest(1), held.Fence), new(Digest(1), held.Fence + 1), new(Digest(2), running.Fence)], None));
        Assert.Equal([new(Digest(2), running.Fence)], await Retention.FindBeingWrittenAsync([Digest(1), Digest(2), Digest(3)], None));
        Assert.Equal(new HashSet<Guid> { running.Id, queued }, await Retention.FindActiveAsync([running.Id, queued, Guid.NewGuid()], None));
    }

    private static ManifestReference Child(int n) => new(Digest(n), ReferenceRole.Manifest, 4, "application/vnd.oci.image.manifest.v1+json", "linux/amd64");

    private Task<long> NowAsync() => Database.ReadAsync((session, token) => session.Sql($"SELECT {Database.Dialect.Now}").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);

    private Task<List<(string Digest, long LastAt, long Count)>> ReadAccessesAsync() => Database.ReadAsync((session, token) =>
        session.Sql("SELECT digest, last_at, count FROM accesses ORDER BY digest").ListAsync(row => (row.GetString(0), row.GetInt64(1), row.GetInt64(2)), token), None);
}
