using System.Globalization;
using System.Text;
using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What refers to a digest: the upstream's list, and what is held beside it.</summary>
public sealed class ReferrersTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private const string App = "team/app";
    private static readonly string Subject = "sha256:" + new string('5', 64);

    [Fact]
    public async Task The_pages_of_the_API_are_one_list_in_its_order_and_every_descriptor_is_as_sent()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        string[] entries = [Descriptor(9, "a/sig"), Descriptor(3, "a/sbom"), Descriptor(7, "a/sig"), Descriptor(1, null), Descriptor(8, "a/sig-2")];
        registry.Repository(App).SetReferrers(Subject, entries[..2], entries[2..3], entries[3..]);
        await using var entrepot = await StartAsync(registry.Url, "1h");

        var all = await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}");
        Assert.Equal((200, "MISS", null, null), (all.Status, all.Header("X-Cache"), all.Header("Warning"), all.Header("OCI-Filters-Applied")));
        Assert.Equal(entries, Descriptors(all));
        using (var index = JsonDocument.Parse(all.Body))
            Assert.Equal((2, MediaTypes.OciIndex), (index.RootElement.GetProperty("schemaVersion").GetInt32(), index.RootElement.GetProperty("mediaType").GetString()));
        Assert.Equal(3, registry.Requests.Count);

        var head = await RawHttp.SendAsync(entrepot.Port, $"HEAD /v2/{App}/referrers/{Subject} HTTP/1.1", "Host: x", "Connection: close");
        Assert.Equal((200, MediaTypes.OciIndex, all.Header("Content-Length"), "HIT", 0), (head.Status, head.Header("Content-Type"), head.Header("Content-Length"), head.Header("X-Cache"), head.Body.Length));

        var filtered = await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=a/sig");
        Assert.Equal("artifactType", filtered.Header("OCI-Filters-Applied"));
        Assert.Equal([entries[0], entries[2]], Descriptors(filtered));
        Assert.Empty(Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=A/SIG")));
        var unfiltered = await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=");
        Assert.Null(unfiltered.Header("OCI-Filters-Applied"));
        Assert.Equal(entries, Descriptors(unfiltered));
        Assert.Equal(3, registry.Requests.Count);
    }

    [Fact]
    public async Task Without_the_API_the_fallback_tag_is_the_list_and_any_digest_has_an_answer()
    {
        var subject = fixture.Small.Digest;
        var index = $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
              {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{fixture.Forty.Digest}}","size":{{fixture.Forty.ManifestBytes.Length}},"artifactType":"application/sig"},
              {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{fixture.Little.Digest}}","size":{{fixture.Little.ManifestBytes.Length}},"artifactType":"application/sbom"}]}
            """;
        foreach (var image in new[] { fixture.Small, fixture.Forty, fixture.Little }) await fixture.Registry.PushAsync(image, "library/referred");
        using (var client = new HttpClient())
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(index));
            content.Headers.ContentType = new(MediaTypes.OciIndex);
            using var put = await client.PutAsync(new Uri(fixture.Registry.Url, $"/v2/library/referred/manifests/{subject.Replace(':', '-')}"), content);
            Assert.True(put.IsSuccessStatusCode);
        }
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));

        Assert.Equal([fixture.Forty.Digest, fixture.Little.Digest], Digests(await GetAsync(entrepot, $"/v2/library/referred/referrers/{subject}")));
        Assert.Equal([fixture.Little.Digest], Digests(await GetAsync(entrepot, $"/v2/library/referred/referrers/{subject}?artifactType=application/sbom")));
        Assert.Empty(Digests(await GetAsync(entrepot, $"/v2/library/referred/referrers/sha256:{new string('e', 64)}")));
        Assert.Empty(Digests(await GetAsync(entrepot, $"/v2/library/never/referrers/{subject}")));
        Assert.Equal((400, "DIGEST_INVALID"), Error(await GetAsync(entrepot, "/v2/library/referred/referrers/sha256:x")));
    }

    [Theory]
    [InlineData(404, "text/plain", "404 page not found")]
    [InlineData(406, "application/json", "{}")]
    [InlineData(200, "text/html", "<html>the registry's user interface</html>")]
    public async Task However_an_upstream_lacks_the_API_its_fallback_tag_is_read_also_for_sha512(int status, string mediaType, string body)
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        var repository = registry.Repository(App);
        var sha512 = $"sha512:{new string('6', 64)}{new string('7', 64)}";
        repository.AddManifest(Index(Descriptor(1, "a/sig")), MediaTypes.OciIndex, $"sha512-{new string('6', 64)}");
        repository.AddManifest(Index(Descriptor(2, "a/sig")), MediaTypes.OciIndex, Subject.Replace(':', '-'));
        var imageSubject = "sha256:" + new string('8', 64);
        repository.AddManifest(Signature(Subject), MediaTypes.OciManifest, imageSubject.Replace(':', '-'));
        foreach (var subject in new[] { sha512, Subject, imageSubject })
            registry.Script($"/v2/{App}/referrers/{subject}", new MemoryAnswer(status, Encoding.UTF8.GetBytes(body), mediaType));
        await using var entrepot = await StartAsync(registry.Url, "1h");

        Assert.Equal([Descriptor(1, "a/sig")], Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{sha512}")));
        Assert.Equal([Descriptor(2, "a/sig")], Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}")));
        // An image that has the tag is no list.
        Assert.Empty(Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{imageSubject}")));
    }

    [Fact]
    public async Task A_signature_that_was_pulled_is_listed_where_it_was_and_never_twice()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        var signature = Signature(Subject, "\"artifactType\":\"a/sig\",\"annotations\":{\"k\":\"v\"},");
        var digest = registry.Repository(App).AddManifest(signature, MediaTypes.OciManifest);
        // Its type is that of its config, and an index without one has none.
        var typed = registry.Repository(App).AddManifest(Signature(Subject), MediaTypes.OciManifest);
        var index = registry.Repository(App).AddManifest(Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[],"subject":{{{SubjectJson(Subject)}}}}"""), MediaTypes.OciIndex);
        registry.Repository("team/other").AddManifest(signature, MediaTypes.OciManifest);
        foreach (var repository in new[] { App, "team/other" }) registry.Repository(repository).SetReferrers(Subject, [Descriptor(1, "a/sig")]);
        await using var entrepot = await StartAsync(registry.Url, "1s");

        Assert.Equal([Descriptor(1, "a/sig")], Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}")));
        foreach (var reference in new[] { digest, typed, index }) Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, App, reference)).Status);

        var merged = Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}"));
        string[] held =
        [
            $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{digest}}}","size":{{{signature.Length}}},"artifactType":"a/sig","annotations":{"k":"v"}}""",
            $$"""{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{typed}}","size":{{Signature(Subject).Length}},"artifactType":"a/config"}""",
            $$"""{"mediaType":"{{MediaTypes.OciIndex}}","digest":"{{index}}","size":{{JsonDocument.Parse(merged.Single(m => m.Contains(index, StringComparison.Ordinal))).RootElement.GetProperty("size")}}}""",
        ];
        Assert.Equal([Descriptor(1, "a/sig"), .. new[] { digest, typed, index }.Zip(held).OrderBy(pair => pair.First, StringComparer.Ordinal).Select(pair => pair.Second)], merged);
        Assert.Equal([typed], Digests(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=a/config")));

        // Another repository has not seen it, until its own upstream confirms it.
        Assert.Equal([Descriptor(1, "a/sig")], Descriptors(await GetAsync(entrepot, $"/v2/team/other/referrers/{Subject}")));
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "team/other", digest)).Status);
        Assert.Equal([Descriptor(1, "a/sig"), held[0]], Descriptors(await GetAsync(entrepot, $"/v2/team/other/referrers/{Subject}")));

        // The upstream's own word replaces ours, in its place.
        var own = $$"""{"digest":"{{digest}}","own":true}""";
        registry.Repository("team/other").SetReferrers(Subject, [own, Descriptor(1, "a/sig")]);
        await Eventually.Async(
            async () => Descriptors(await GetAsync(entrepot, $"/v2/team/other/referrers/{Subject}")).SequenceEqual([own, Descriptor(1, "a/sig")]), TimeSpan.FromSeconds(10), "the list to be asked for again");
    }

    [Fact]
    public async Task An_outage_never_looks_like_no_signatures()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url);
        var repository = registry.Repository(App);
        var digest = repository.AddManifest(Signature(Subject, "\"artifactType\":\"a/sig\","), MediaTypes.OciManifest);
        var listed = "sha256:" + new string('9', 64);
        repository.SetReferrers(listed, [Descriptor(1, "a/sig")]);
        var later = repository.AddManifest(Signature(listed), MediaTypes.OciManifest);
        await using var entrepot = await StartAsync(upstream.Url, "1s");
        Assert.Equal([Descriptor(1, "a/sig")], Descriptors(await GetAsync(entrepot, $"/v2/{App}/referrers/{listed}")));
        foreach (var reference in new[] { digest, later }) Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, App, reference)).Status);
        await upstream.StopAsync();

        // Never asked, nothing held; and nothing held of the type that is wanted.
        Assert.Equal((503, "UNAVAILABLE"), Error(await GetAsync(entrepot, $"/v2/{App}/referrers/sha256:{new string('0', 64)}")));
        Assert.Equal((503, "UNAVAILABLE"), Error(await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=a/sbom")));
        Assert.Equal((503, "UNAVAILABLE"), Error(await GetAsync(entrepot, $"/v2/team/other/referrers/{Subject}")));

        // Never asked, one held.
        var held = await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}?artifactType=a/sig");
        Assert.Equal((200, "STALE", "artifactType"), (held.Status, held.Header("X-Cache"), held.Header("OCI-Filters-Applied")));
        Assert.StartsWith("299 - \"", held.Header("Warning"), StringComparison.Ordinal);
        Assert.Equal([digest], Digests(held));

        // Asked before: the list of then, and what came to be held since.
        await Eventually.Async(
            async () =>
            {
                var stale = await GetAsync(entrepot, $"/v2/{App}/referrers/{listed}");
                Assert.Equal([Json(Descriptor(1, "a/sig")).GetProperty("digest").GetString()!, later], Digests(stale));
                return stale.Header("X-Cache") == "STALE" && stale.Header("Warning")?.StartsWith("299 - \"", StringComparison.Ordinal) == true;
            },
            TimeSpan.FromSeconds(10),
            "the list to be stale");
    }

    [Theory]
    [InlineData(401, 403, "DENIED")]
    [InlineData(403, 403, "DENIED")]
    [InlineData(429, 429, "TOOMANYREQUESTS")]
    [InlineData(500, 503, "UNAVAILABLE")]
    public async Task An_upstream_that_refuses_is_an_error_unless_something_is_held(int refusal, int status, string code)
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url);
        var digest = registry.Repository(App).AddManifest(Signature(Subject), MediaTypes.OciManifest);
        await using var entrepot = await StartAsync(upstream.Url, "1h");
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, App, digest)).Status);

        upstream.Inject(Fault.Status(refusal));
        Assert.Equal((status, code), Error(await GetAsync(entrepot, $"/v2/{App}/referrers/sha256:{new string('0', 64)}")));
        var held = await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}");
        Assert.Equal((200, "STALE"), (held.Status, held.Header("X-Cache")));
        Assert.StartsWith("299 - \"", held.Header("Warning"), StringComparison.Ordinal);
        Assert.Equal([digest], Digests(held));
    }

    [Fact]
    public async Task A_page_that_is_no_index_is_an_error_of_the_upstream_and_not_an_empty_list()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        registry.Repository(App).AddManifest(Signature(Subject), MediaTypes.OciManifest);
        registry.Script($"/v2/{App}/referrers/{Subject}", new MemoryAnswer(200, "{}"u8.ToArray(), "application/json"));
        await using var entrepot = await StartAsync(registry.Url, "1h");
        Assert.Equal(502, (await GetAsync(entrepot, $"/v2/{App}/referrers/{Subject}")).Status);
    }

    [Fact]
    public async Task A_repository_that_the_upstream_does_not_know_has_no_referrers()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        await using var entrepot = await StartAsync(registry.Url, "1h");
        var none = await GetAsync(entrepot, $"/v2/team/never/referrers/{Subject}");
        Assert.Equal((200, null), (none.Status, none.Header("Warning")));
        Assert.Empty(Descriptors(none));
    }

    [Fact]
    public async Task A_held_signature_of_a_sha512_subject_is_listed()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        var subject = $"sha512:{new string('6', 64)}{new string('7', 64)}";
        var digest = registry.Repository(App).AddManifest(Signature(subject), MediaTypes.OciManifest);
        await using var entrepot = await StartAsync(registry.Url, "1h");
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, App, digest)).Status);
        Assert.Equal([digest], Digests(await GetAsync(entrepot, $"/v2/{App}/referrers/{subject}")));
        Assert.Empty(Digests(await GetAsync(entrepot, $"/v2/{App}/referrers/sha512:{new string('6', 64)}{new string('8', 64)}")));
    }

    [Fact]
    public async Task A_list_that_is_larger_than_clients_read_comes_in_pages_that_lead_through_all_of_it()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        var entries = Enumerable.Range(0, 80).Select(n => Descriptor(n, n % 10 == 9 ? "a/other" : "a/sig", padding: 150_000)).ToArray();
        registry.Repository(App).SetReferrers(Subject, [.. entries.Chunk(9)]);
        var held = registry.Repository(App).AddManifest(Signature(Subject, "\"artifactType\":\"a/sig\","), MediaTypes.OciManifest);
        await using var entrepot = await StartAsync(registry.Url, "1h");
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, App, held)).Status);

        var collected = new List<string>();
        var path = $"/v2/{EntrepotSettings.DefaultUpstream}/{App}/referrers/{Subject}?artifactType=a/sig&ns={EntrepotSettings.DefaultUpstream}";
        var pages = 0;
        while (path is not null)
        {
            var page = await GetAsync(entrepot, path);
            Assert.InRange(page.Body.Length, 1, 4 * 1024 * 1024);
            Assert.Equal("artifactType", page.Header("OCI-Filters-Applied"));
            collected.AddRange(Digests(page));
            var link = page.Header("Link");
            path = link?[1..link.IndexOf('>', StringComparison.Ordinal)];
            Assert.InRange(++pages, 1, 3);
        }

        Assert.Equal(3, pages);
        Assert.Equal([.. entries.Where((_, n) => n % 10 != 9).Select(entry => Json(entry).GetProperty("digest").GetString()!), held], collected);
    }

    private static Task<EntrepotProcess> StartAsync(Uri upstream, string tagTtl) =>
        EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream).Add(EntrepotSettings.DefaultUpstream, upstream, ("TagTtl", tagTtl)));

    private static Task<RawResponse> GetAsync(EntrepotProcess entrepot, string path) => RawHttp.SendAsync(entrepot.Port, $"GET {path} HTTP/1.1", "Host: x", "Connection: close");

    /// <summary>A descriptor as no serializer would write it, so that one that was written anew shows.</summary>
    private static string Descriptor(int n, string? artifactType, int padding = 0) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{ "size" : {{n}}, "digest":"sha256:{{n:x64}}", {{(artifactType is null ? "" : $"\"artifactType\":\"{artifactType}\", ")}}"mediaType":"{{MediaTypes.OciManifest}}","annotations":{"n":"\u00e9<{{new string('x', padding)}}"}, "odd":[1e2 ] }""");

    private static string SubjectJson(string subject) => $$"""{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{subject}}","size":7}""";

    private static byte[] Signature(string subject, string more = "") => Encoding.UTF8.GetBytes(
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}",{{more}}"config":{"mediaType":"a/config","digest":"{{Content.DigestOf("{}"u8)}}","size":2},"layers":[],"subject":{{SubjectJson(subject)}}}""");

    private static byte[] Index(params string[] descriptors) => Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', descriptors)}}]}""");

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static string[] Descriptors(RawResponse answer)
    {
        Assert.Equal((200, MediaTypes.OciIndex), (answer.Status, answer.Header("Content-Type")));
        return [.. Json(Encoding.UTF8.GetString(answer.Body)).GetProperty("manifests").EnumerateArray().Select(m => m.GetRawText())];
    }

    private static string[] Digests(RawResponse answer) => [.. Descriptors(answer).Select(descriptor => Json(descriptor).GetProperty("digest").GetString()!)];

    private static (int Status, string Code) Error(RawResponse answer) =>
        (answer.Status, Json(Encoding.UTF8.GetString(answer.Body)).GetProperty("errors")[0].GetProperty("code").GetString()!);
}
