using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.UnitTests.Support;

public sealed class HubImitationTests
{
    [ClientFact(DebianRegistry.Command, Skopeo.Command)]
    public async Task A_real_client_pulls_with_one_token_and_one_get_per_blob()
    {
        await using var registry = await DebianRegistry.StartNewAsync();
        var image = ImageMaker.ManyLayers(5);
        await registry.PushAsync(image, "library/five");
        await using var hub = await HubImitation.StartNewAsync(registry.Url);
        var pull = await Skopeo.PullAsync(hub.Url, "library/five:1");
        Assert.Equal(image.Digest, pull.Digest);
        Assert.Equal(1, hub.TokensGiven("library/five"));
        foreach (var blob in image.Blobs) hub.Cdn.Log.AssertNoByteTwice(blob.Digest, blob.Size);
        Assert.DoesNotContain(hub.Cdn.Log.All, record => record.HasAuthorization);
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task Its_rules_are_kept()
    {
        await using var registry = await DebianRegistry.StartNewAsync();
        var image = ImageMaker.Small();
        await registry.PushAsync(image, "library/open");
        await registry.PushAsync(image, "team/secret");
        await using var hub = await HubImitation.StartNewAsync(registry.Url);
        hub.MakePrivate("team/secret", "user:right");
        var blob = $"blobs/{image.Config!.Digest}";

        var ping = await RawHttp.SendAsync(hub.Registry.Port, "GET /v2/ HTTP/1.1", "Host: x");
        Assert.Equal(401, ping.Status);
        Assert.Matches($"^Bearer realm=\"http://127.0.0.1:{hub.Tokens.Port}/token\",service=\"{HubImitation.Service}\"$", ping.Header("WWW-Authenticate")!);
        var challenge = (await GetAsync(hub.Url, $"library/open/{blob}", token: null)).Headers["WWW-Authenticate"];
        Assert.Contains("scope=\"repository:library/open:pull\"", challenge, StringComparison.Ordinal);

        var open = await TokenAsync(hub, "library/open");
        var redirect = await GetAsync(hub.Url, $"library/open/{blob}", open);
        Assert.Equal(307, redirect.Status);
        var signed = new Uri(redirect.Headers["Location"]);
        Assert.Equal(hub.Cdn.Port, signed.Port);
        Assert.Equal(image.Config.Digest, (await BlobReader.ReadAsync(signed)).Digest);
        Assert.Equal(400, (await BlobReader.ReadAsync(signed, Authorized(open))).Status);
        Assert.Equal(403, (await BlobReader.ReadAsync(new Uri(signed.GetLeftPart(UriPartial.Path)))).Status);

        var manifest = await GetAsync(hub.Url, "library/open/manifests/1", open);
        Assert.Equal((image.Digest, "99;w=21600"), (manifest.Digest, manifest.Headers["RateLimit-Remaining"]));
        Assert.Equal(401, (await GetAsync(hub.Url, $"team/secret/{blob}", open)).Status);
        Assert.Equal(403, (await GetAsync(hub.Url, $"team/secret/{blob}", await TokenAsync(hub, "team/secret"))).Status);
        Assert.Equal(307, (await GetAsync(hub.Url, $"team/secret/{blob}", await TokenAsync(hub, "team/secret", "user:right"))).Status);
        hub.ForgetTokens();
        Assert.Equal(401, (await GetAsync(hub.Url, $"library/open/{blob}", open)).Status);
        Assert.Equal((1, 2), (hub.TokensGiven("library/open"), hub.TokensGiven("team/secret")));
    }

    private static Task<BlobRead> GetAsync(Uri url, string path, string? token) =>
        BlobReader.ReadAsync(new Uri(url, $"/v2/{path}"), Authorized(token));

    private static BlobReadOptions Authorized(string? token) =>
        token is null ? new() : new() { Headers = new Dictionary<string, string> { ["Authorization"] = $"Bearer {token}", ["Accept"] = MediaTypes.AcceptAll } };

    private static async Task<string> TokenAsync(HubImitation hub, string repository, string? credential = null)
    {
        using var client = new HttpClient();
        if (credential is not null) client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(credential)));
        var answer = await client.GetFromJsonAsync<JsonElement>(new Uri($"{hub.Tokens.Url}token?service={HubImitation.Service}&scope=repository:{repository}:pull"));
        return answer.GetProperty("token").GetString()!;
    }
}
