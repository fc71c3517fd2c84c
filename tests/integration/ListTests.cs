using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Tags and the catalogue.</summary>
public sealed class ListTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private static readonly string[] Tags = ["1", "10", "2", "B", "a", "latest"];

    [Fact]
    public async Task Tags_are_the_upstreams_sorted_paged_and_outlive_it()
    {
        foreach (var tag in Tags) await fixture.Registry.PushAsync(fixture.Small, "library/tagged", tag);
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings().Add("docker.io", upstream.Url, ("TagTtl", "1s")).Set("DefaultUpstream", "docker.io"));

        var all = await ListAsync(entrepot, "/v2/library/tagged/tags/list");
        Assert.Equal((200, "library/tagged", "MISS"), (all.Status, all.Name, all.Answer.Header("X-Cache")));
        Assert.Equal(Tags, all.Entries);
        Assert.Null(all.Answer.Header("Link"));

        var collected = new List<string>();
        var path = "/v2/docker.io/library/tagged/tags/list?n=4&ns=docker.io";
        while (path is not null)
        {
            var page = await ListAsync(entrepot, path);
            Assert.Equal("docker.io/library/tagged", page.Name);
            collected.AddRange(page.Entries);
            var link = page.Answer.Header("Link");
            if (link is not null) Assert.Contains("ns=docker.io", link, StringComparison.Ordinal);
            path = link?[1..link.IndexOf('>', StringComparison.Ordinal)];
        }
        Assert.Equal(Tags, collected);
        Assert.Empty((await ListAsync(entrepot, "/v2/library/tagged/tags/list?n=0")).Entries);
        Assert.Equal(["a", "latest"], (await ListAsync(entrepot, "/v2/library/tagged/tags/list?last=C")).Entries);
        Assert.Single(upstream.Log.Matching("/tags/list"));

        await upstream.StopAsync();
        await Eventually.Async(async () =>
        {
            var stale = await ListAsync(entrepot, "/v2/library/tagged/tags/list");
            Assert.Equal(Tags, stale.Entries);
            return stale.Answer.Header("X-Cache") == "STALE" && stale.Answer.Header("Warning")?.StartsWith("299 - \"stale: ", StringComparison.Ordinal) == true;
        }, TimeSpan.FromSeconds(10), "the list to be stale");
    }

    [Fact]
    public async Task A_repository_that_is_not_there_a_bad_page_and_an_upstream_that_is_down_are_told_apart()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        Assert.Equal((404, "NAME_UNKNOWN"), await ErrorAsync(entrepot, "/v2/library/nowhere/tags/list"));
        foreach (var n in new[] { "-1", "x", "" }) Assert.Equal((400, "PAGINATION_NUMBER_INVALID"), await ErrorAsync(entrepot, $"/v2/library/small/tags/list?n={n}"));
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).Status);
        await upstream.StopAsync();
        Assert.Equal((503, "UNAVAILABLE"), await ErrorAsync(entrepot, "/v2/library/forty/tags/list"));
        var known = await ListAsync(entrepot, "/v2/library/small/tags/list");
        Assert.Equal(["1"], known.Entries);
        Assert.Equal("STALE", known.Answer.Header("X-Cache"));
    }

    [Fact]
    public async Task The_catalogue_names_what_is_held_as_clients_would_pull_it()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url).Add("quay.io", upstream.Url));
        Assert.Empty((await ListAsync(entrepot, "/v2/_catalog")).Entries);
        foreach (var name in new[] { "library/small", "quay.io/library/small", "library/docker" }) Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, name, "1")).Status);
        Assert.Equal(["library/docker", "library/small", "quay.io/library/small"], (await ListAsync(entrepot, "/v2/_catalog")).Entries);
        var page = await ListAsync(entrepot, "/v2/_catalog?n=2");
        Assert.Equal(["library/docker", "library/small"], page.Entries);
        Assert.Equal("</v2/_catalog?n=2&last=library%2Fsmall>; rel=\"next\"", page.Answer.Header("Link"));
    }

    private static async Task<(int Status, string? Name, string[] Entries, RawResponse Answer)> ListAsync(EntrepotProcess entrepot, string path)
    {
        var answer = await RawHttp.SendAsync(entrepot.Port, $"GET {path} HTTP/1.1", "Host: x", "Connection: close");
        using var body = JsonDocument.Parse(answer.Body);
        var root = body.RootElement;
        var list = root.TryGetProperty("tags", out var tags) ? tags : root.GetProperty("repositories");
        return (answer.Status, root.TryGetProperty("name", out var name) ? name.GetString() : null, [.. list.EnumerateArray().Select(e => e.GetString()!)], answer);
    }

    private static async Task<(int Status, string Code)> ErrorAsync(EntrepotProcess entrepot, string path)
    {
        var answer = await RawHttp.SendAsync(entrepot.Port, $"GET {path} HTTP/1.1", "Host: x", "Connection: close");
        using var body = JsonDocument.Parse(answer.Body);
        return (answer.Status, body.RootElement.GetProperty("errors")[0].GetProperty("code").GetString()!);
    }
}
