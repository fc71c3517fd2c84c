using System.Text;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

public sealed class CommitsOnSqlite() : CommitFacts(new SqliteTestServer());

[Collection(PostgresCollection.Name)]
public sealed class CommitsOnPostgres(PostgresTestServer server) : CommitFacts(server);

/// <summary>What a successful fetch leaves behind, and how it is found.</summary>
public abstract class CommitFacts(ITestServer server) : DatabaseFacts(server)
{
    [Fact]
    public async Task A_stored_blob_is_found_with_its_fence_and_who_has_it()
    {
        var nothing = await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        Assert.Equal((null, Rights.None, null, 0), (nothing.Held, nothing.Rights, nothing.ListedSize, nothing.PossessedBy.Count));

        var fetch = await JoinAndClaimAsync(Blob(1));
        Assert.Equal(CommitResult.Committed, await CommitBlobAsync(fetch, size: 77));
        var facts = await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        Assert.Equal((new HeldBlob(77, fetch.Fence), Rights.Downloaded), (facts.Held, facts.Rights));
        Assert.Equal([Hub], facts.PossessedBy);
        Assert.True(await Holdings.IsHeldAsync(Digest(1), None));

        var stranger = await Holdings.FindBlobAsync("ghcr.io", "o/app", Digest(1), None);
        Assert.Equal((new HeldBlob(77, fetch.Fence), Rights.None), (stranger.Held, stranger.Rights));
        Assert.Equal([Hub], stranger.PossessedBy);
        var status = await StatusAsync(fetch.Id);
        Assert.Equal((FetchState.Done, 77L, 77L), (status.State, status.Size, status.Progress));
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_says_the_same_when_it_is_repeated_for_as_long_as_its_bytes_are_held()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        for (var i = 0; i < 2; i++) Assert.Equal(CommitResult.Committed, await CommitBlobAsync(fetch));
        await Queue.SweepAsync(TimeSpan.Zero, None);
        Assert.Equal(CommitResult.Committed, await CommitBlobAsync(fetch));
        await Holdings.ForgetBlobAsync(Digest(1), fetch.Fence, None);
        Assert.Equal(CommitResult.LeaseLost, await CommitBlobAsync(fetch));
        Assert.Equal(0, await CountAsync("blobs"));
    }

    [Fact]
    public async Task Bytes_of_another_domain_stay_and_possession_is_recorded()
    {
        await StoreBlobAsync(1);
        var before = await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        var second = await JoinAndClaimAsync(Blob(1, "private.io", "team/app", domain: "private.io"));
        Assert.Equal(CommitResult.AlreadyStored, await CommitBlobAsync(second, "private.io", "team/app"));
        var facts = await Holdings.FindBlobAsync("private.io", "team/app", Digest(1), None);
        Assert.Equal((before.Held, Rights.Downloaded), (facts.Held, facts.Rights));
        Assert.Equal([Hub, "private.io"], facts.PossessedBy.Order());
    }

    [Fact]
    public async Task A_vanished_object_is_forgotten_only_with_its_own_fence()
    {
        await StoreBlobAsync(1);
        var held = (await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None)).Held!;
        Assert.False(await Holdings.ForgetBlobAsync(Digest(1), held.Fence + 1, None));
        Assert.True(await Holdings.ForgetBlobAsync(Digest(1), held.Fence, None));
        Assert.False(await Holdings.IsHeldAsync(Digest(1), None));
        await StoreBlobAsync(1);
    }

    [Fact]
    public async Task A_manifest_comes_back_byte_by_byte_and_gives_its_repository_what_it_lists()
    {
        var manifest = Manifest(9, new("sha256:c", ReferenceRole.Config, 5, "application/vnd.oci.image.config.v1+json", null), Layer(1, 11), Layer(2, 22), Layer(1, 11)) with
        {
            Bytes = Encoding.UTF8.GetBytes("{ \"odd\" : \"spacing\"}\n"), Subject = Digest(5), ArtifactType = "a/b",
        };
        await StoreManifestAsync(manifest, "latest");
        var facts = await Holdings.FindManifestAsync(Hub, Nginx, Digest(9), None);
        Assert.Equal(manifest.Bytes, facts.Held!.Bytes);
        Assert.Equal((manifest.MediaType, Digest(5), "a/b", Rights.Downloaded), (facts.Held.MediaType, facts.Held.Subject, facts.Held.ArtifactType, facts.Rights));
        Assert.Equal([Hub], facts.PossessedBy);

        await StoreBlobAsync(1, repository: "library/somewhere");
        var layer = await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        Assert.Equal((Rights.Listed, 11L, "application/vnd.oci.image.layer.v1.tar+gzip"), (layer.Rights, layer.ListedSize, layer.ListedMediaType));
        Assert.Equal(Rights.None, (await Holdings.FindBlobAsync(Hub, "library/third", Digest(1), None)).Rights);
        Assert.Equal(Rights.None, (await Holdings.FindBlobAsync(Hub, Nginx, Digest(5), None)).Rights);
        var (listing, missing) = (await Holdings.FindMissingLayersAsync(Hub, Nginx, Digest(2), None))!.Value;
        Assert.Equal((Digest(9), Digest(2), 22L), (listing, Assert.Single(missing).Digest, missing[0].Size));
        Assert.Null(await Holdings.FindMissingLayersAsync(Hub, "library/third", Digest(2), None));
        Assert.Null(await Holdings.FindMissingLayersAsync(Hub, Nginx, "sha256:c", None));
        await StoreBlobAsync(2);
        Assert.Empty((await Holdings.FindMissingLayersAsync(Hub, Nginx, Digest(2), None))!.Value.Layers);
        Assert.Null((await Holdings.FindManifestAsync(Hub, Nginx, Digest(1), None)).Held);
    }

    [Fact]
    public async Task An_index_gives_its_repository_the_manifests_it_lists()
    {
        await StoreManifestAsync(Manifest(2, Layer(1)), repository: "library/other");
        await StoreManifestAsync(Manifest(3, new ManifestReference(Digest(2), ReferenceRole.Manifest, 4, "application/vnd.oci.image.manifest.v1+json", "linux/arm64/v8")));
        var facts = await Holdings.FindManifestAsync(Hub, Nginx, Digest(2), None);
        Assert.NotNull(facts.Held);
        Assert.Equal(Rights.Listed, facts.Rights);
        Assert.Null(await Holdings.FindMissingLayersAsync(Hub, Nginx, Digest(2), None));
    }

    [Fact]
    public async Task What_refers_to_a_digest_is_listed_where_it_was_downloaded_or_confirmed()
    {
        const string other = "library/other";
        await StoreManifestAsync(Manifest(1));
        foreach (var n in new[] { 12, 11 }) await StoreManifestAsync(Manifest(n) with { Subject = Digest(1), ArtifactType = n == 11 ? "a/b" : null });
        await StoreManifestAsync(Manifest(13) with { Subject = Digest(2) });
        await StoreManifestAsync(Manifest(14) with { Subject = Digest(1) }, repository: other);
        await StoreManifestAsync(Manifest(15) with { Subject = Digest(1) }, upstream: "private.io");
        await StoreBlobAsync(16);
        Assert.Equal([new HeldReferrer(Digest(11), "a/b"), new HeldReferrer(Digest(12), null)], await Holdings.ListReferrersAsync(Hub, Nginx, Digest(1), None));
        Assert.Equal([new HeldReferrer(Digest(14), null)], await Holdings.ListReferrersAsync(Hub, other, Digest(1), None));
        Assert.Empty(await Holdings.ListReferrersAsync(Hub, Nginx, Digest(9), None));
        Assert.Empty(await Holdings.ListReferrersAsync(Hub, "library/never", Digest(1), None));

        var link = await JoinAndClaimAsync(Blob(11, repository: other) with { Kind = FetchKind.Manifest });
        Assert.Equal(CommitResult.Committed, await Queue.CommitLinkAsync(link.Id, link.Fence, Hub, other, Digest(11), None));
        Assert.Equal([Digest(11), Digest(14)], (await Holdings.ListReferrersAsync(Hub, other, Digest(1), None)).Select(r => r.Digest));
    }

    [Fact]
    public async Task The_same_manifest_through_two_repositories_is_stored_once_and_belongs_to_both()
    {
        await StoreManifestAsync(Manifest(1, Layer(2)));
        await StoreManifestAsync(Manifest(1, Layer(2)), repository: "library/other");
        Assert.Equal((1, 1), (await CountAsync("manifests"), await CountAsync("manifest_references")));
        Assert.Equal(Rights.Downloaded, (await Holdings.FindManifestAsync(Hub, "library/other", Digest(1), None)).Rights);
    }

    [Fact]
    public async Task What_an_upstream_sends_may_contain_any_character()
    {
        await StoreManifestAsync(Manifest(1, new ManifestReference(Digest(2), ReferenceRole.Layer, 1, "a\0\"\\\u2028ü😀", "linux/\0x")) with { ArtifactType = "x\0y" });
        Assert.Equal("a\"\\\u2028ü😀", (await Holdings.FindBlobAsync(Hub, Nginx, Digest(2), None)).ListedMediaType);
        Assert.Equal("xy", (await Holdings.FindManifestAsync(Hub, Nginx, Digest(1), None)).Held!.ArtifactType);
    }

    [Fact]
    public async Task A_tag_moves_and_remembers_when()
    {
        Assert.Null(await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None));
        await StoreManifestAsync(Manifest(1), "latest");
        var first = (await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!;
        Assert.Equal((Digest(1), 0L), (first.Digest, first.Epoch));

        Advance(100);
        Assert.InRange((await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!.Age, TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(110));
        var check = await JoinAndClaimAsync(Tag("latest"));
        Assert.Equal(CommitResult.Committed, await Queue.CommitTagAsync(check.Id, check.Fence, new(Hub, Nginx, "latest", Digest(1), 0), None));
        var second = (await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!;
        Assert.Equal(first.ChangedAt, second.ChangedAt);
        Assert.InRange(second.Age, TimeSpan.Zero, TimeSpan.FromSeconds(10));

        Advance(100);
        await StoreManifestAsync(Manifest(2), "latest");
        var third = (await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!;
        Assert.Equal(Digest(2), third.Digest);
        Assert.True(third.ChangedAt > second.ChangedAt + TimeSpan.FromSeconds(99));
        Assert.Equal(["latest"], await Holdings.ListTagsAsync(Hub, Nginx, None));
        Assert.Equal([new KnownRepository(Hub, Nginx)], await Holdings.ListRepositoriesAsync(None));
    }

    [Fact]
    public async Task A_purge_during_the_check_wins_over_its_answer()
    {
        await StoreManifestAsync(Manifest(1), "latest");
        var check = await JoinAndClaimAsync(Tag("latest"));
        await ExecuteAsync("UPDATE tags SET digest = NULL, epoch = epoch + 1");
        Assert.Equal(CommitResult.TagNotWritten, await Queue.CommitManifestAsync(check.Id, check.Fence, Manifest(2), Hub, Nginx, new(Hub, Nginx, "latest", Digest(2), 0), None));
        var purged = (await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!;
        Assert.Equal((null, 1L), (purged.Digest, purged.Epoch));
        Assert.Empty(await Holdings.ListTagsAsync(Hub, Nginx, None));

        var next = await JoinAndClaimAsync(Tag("latest"));
        Assert.Equal(CommitResult.Committed, await Queue.CommitTagAsync(next.Id, next.Fence, new(Hub, Nginx, "latest", Digest(2), 1), None));
        Assert.Equal(Digest(2), (await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None))!.Digest);
    }

    [Fact]
    public async Task An_answer_older_than_anothers_check_is_not_written_but_a_clock_set_back_freezes_nothing()
    {
        await StoreManifestAsync(Manifest(1), "latest");
        await StoreManifestAsync(Manifest(2));
        Advance(10);
        var slow = await JoinAndClaimAsync(Tag("latest"));
        Advance(1);
        await ExecuteAsync($"UPDATE tags SET checked_at = {Database.Dialect.Now}");
        Advance(1);
        var update = new TagUpdate(Hub, Nginx, "latest", Digest(2), 0);
        Assert.Equal(CommitResult.TagNotWritten, await Queue.CommitTagAsync(slow.Id, slow.Fence, update, None));

        Advance(-3600);
        var after = await JoinAndClaimAsync(Tag("latest"));
        Assert.Equal(CommitResult.Committed, await Queue.CommitTagAsync(after.Id, after.Fence, update, None));
    }

    [Fact]
    public async Task A_tag_never_points_to_a_manifest_that_is_not_held()
    {
        var fetch = await JoinAndClaimAsync(Tag("latest"));
        Assert.Equal(CommitResult.TagNotWritten, await Queue.CommitTagAsync(fetch.Id, fetch.Fence, new(Hub, Nginx, "latest", Digest(1), 0), None));
        Assert.Null(await Holdings.FindTagOrNullAsync(Hub, Nginx, "latest", None));
    }

    [Fact]
    public async Task A_confirmation_gives_a_right_and_never_replaces_possession()
    {
        await StoreBlobAsync(1);
        await LinkAsync("library/other");
        await LinkAsync(Nginx);
        Assert.Equal(Rights.Confirmed, (await Holdings.FindBlobAsync(Hub, "library/other", Digest(1), None)).Rights);
        Assert.Equal(Rights.Downloaded, (await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None)).Rights);

        async Task LinkAsync(string repository)
        {
            var link = await JoinAndClaimAsync(Blob(1, repository: repository) with { Kind = FetchKind.Link });
            Assert.Equal(CommitResult.Committed, await Queue.CommitLinkAsync(link.Id, link.Fence, Hub, repository, Digest(1), None));
        }
    }

    [Fact]
    public async Task A_document_is_replaced_by_its_next_version()
    {
        Assert.Null(await Holdings.FindDocumentOrNullAsync(Hub, Nginx, FetchKind.TagList, "", None));
        foreach (var body in (string[])["one", "two"])
        {
            Advance(5);
            var fetch = await JoinAndClaimAsync(Tag("") with { Kind = FetchKind.TagList });
            Assert.Equal(CommitResult.Committed, await Queue.CommitDocumentAsync(fetch.Id, fetch.Fence, new(Hub, Nginx, FetchKind.TagList, "", Encoding.UTF8.GetBytes(body), "application/json"), None));
        }
        Advance(3);
        var document = (await Holdings.FindDocumentOrNullAsync(Hub, Nginx, FetchKind.TagList, "", None))!;
        Assert.Equal("two", Encoding.UTF8.GetString(document.Body));
        Assert.InRange(document.Age, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Twenty_repositories_of_one_upstream_committing_at_once_all_get_their_rows()
    {
        await StoreBlobAsync(0);
        for (var i = 1; i <= 20; i++) await JoinAsync(Blob(i, "new.io", "same/repository"));
        var claims = new List<ClaimedFetch>();
        while (await Queue.ClaimAsync(By("f1"), None) is { } claimed) claims.Add(claimed);
        Assert.All(await Task.WhenAll(claims.Select(c => Task.Run(() => CommitBlobAsync(c, "new.io", "same/repository")))), result => Assert.Equal(CommitResult.Committed, result));
        Assert.Equal(2, await CountAsync("repositories"));
        Assert.Equal(21, await CountAsync("repository_contents"));
    }
}
