using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Upstream;

/// <summary>
/// Docker Hub as a client sees it, over a registry that holds the images: a Bearer token per repository from a realm on another port,
/// blobs answered by 307 to a CDN on a third port, rate-limit headers. The CDN refuses a request that carries Authorization (400) or
/// lacks its signature (403), as S3 and R2 do. Safe to use from several threads.
/// </summary>
public sealed class HubImitation : IAsyncDisposable
{
    /// <summary>The service name in the challenge, which a token request must repeat.</summary>
    public const string Service = "registry.hub.test";

    private readonly ConcurrentDictionary<string, string> _repositoryByToken = new();
    private readonly ConcurrentDictionary<string, int> _tokens = new();
    private readonly ConcurrentDictionary<string, string?> _private = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private int _pulls;

    private HubImitation(Uri backend) => Backend = backend;

    /// <summary>The registry's own port: what is configured as an upstream. Its log has manifests, and blobs with status 307.</summary>
    public UpstreamFront Registry { get; private set; } = null!;

    /// <summary>The token server's port.</summary>
    public UpstreamFront Tokens { get; private set; } = null!;

    /// <summary>The CDN's port. Its log has the bytes of blobs: <c>Cdn.Log.AssertNoByteTwice</c>.</summary>
    public UpstreamFront Cdn { get; private set; } = null!;

    /// <summary>The registry's URL.</summary>
    public Uri Url => Registry.Url;

    /// <summary>What <c>expires_in</c> says of a token. Default 300 s; it is only told, see <see cref="ForgetTokens"/>.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromSeconds(300);

    private Uri Backend { get; }

    /// <summary>Starts the three ports.</summary>
    public static async Task<HubImitation> StartNewAsync(Uri backend, CancellationToken cancellationToken = default)
    {
        var hub = new HubImitation(backend);
        hub.Cdn = await UpstreamFront.StartNewAsync(backend, hub.GuardCdnAsync, cancellationToken);
        hub.Tokens = await UpstreamFront.StartNewAsync(backend, hub.GiveTokenAsync, cancellationToken);
        hub.Registry = await UpstreamFront.StartNewAsync(backend, hub.GuardRegistryAsync, cancellationToken);
        return hub;
    }

    /// <summary>How many tokens were given out for a repository.</summary>
    public int TokensGiven(string repository) => _tokens.GetValueOrDefault(repository);

    /// <summary>Makes a repository private: 403 to everybody, or to everybody whose token was not bought with the credential.</summary>
    /// <param name="repository">For example <c>team/secret</c>.</param>
    /// <param name="credential"><c>user:password</c> that opens it; null opens it to nobody.</param>
    public void MakePrivate(string repository, string? credential = null) => _private[repository] = credential;

    /// <summary>Makes a repository public again.</summary>
    public void MakePublic(string repository) => _private.TryRemove(repository, out _);

    /// <summary>Makes every token invalid: the next use of one is answered 401, as after its expiry.</summary>
    public void ForgetTokens() => _repositoryByToken.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await Tokens.DisposeAsync();
        await Cdn.DisposeAsync();
    }

    private async Task<GateAnswer> GuardRegistryAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var repository = RepositoryOf(path);
        var headers = context.Response.Headers;
        headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        var bearer = AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var sent) && sent.Scheme == "Bearer" ? sent.Parameter : null;
        var opened = bearer is not null && _repositoryByToken.TryGetValue(bearer, out var value) ? value : null;
        if (opened is null || (repository is not null && !Opens(opened, repository)))
        {
            var scope = repository is null ? "" : $",scope=\"repository:{repository}:pull\"";
            headers.WWWAuthenticate = $"Bearer realm=\"{Tokens.Url}token\",service=\"{Service}\"{scope}";
            return await RefuseAsync(context, 401, "authentication required");
        }

        if (repository is null) return GateAnswer.Pass;
        if (_private.TryGetValue(repository, out var credential) && (credential is null || !opened.EndsWith('\n' + credential, StringComparison.Ordinal)))
        {
            return await RefuseAsync(context, 403, "requested access to the resource is denied");
        }

        var blob = path.LastIndexOf("/blobs/sha256:", StringComparison.Ordinal);
        if (blob < 0)
        {
            var left = 100 - (HttpMethods.IsGet(context.Request.Method) ? Interlocked.Increment(ref _pulls) : Volatile.Read(ref _pulls));
            headers["RateLimit-Limit"] = "100;w=21600";
            headers["RateLimit-Remaining"] = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, left)};w=21600");
            return GateAnswer.Pass;
        }

        var target = $"/cdn{path["/v2".Length..]}";
        context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        context.Response.ContentLength = 0;
        headers.Location = $"{Cdn.Url.GetLeftPart(UriPartial.Authority)}{target}?sig={Sign(target)}";
        return GateAnswer.Done;
    }

    private async Task<GateAnswer> GuardCdnAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (context.Request.Headers.ContainsKey("Authorization")) return await RefuseAsync(context, 400, "only one auth mechanism allowed");
        if (context.Request.Query["sig"] != Sign(path)) return await RefuseAsync(context, 403, "the signature does not match");
        return new GateAnswer(Answered: false, "/v2" + path["/cdn".Length..]);
    }

    private async Task<GateAnswer> GiveTokenAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var scope = query["scope"].ToString().Split(':');
        if (query["service"] != Service || scope is not ["repository", var repository, "pull"])
        {
            return await RefuseAsync(context, 400, "service and one scope repository:<name>:pull are needed");
        }

        var credential = AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var sent) && sent is { Scheme: "Basic", Parameter: { } encoded }
            ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded))
            : "";
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _repositoryByToken[token] = $"{repository}\n{credential}";
        _tokens.AddOrUpdate(repository, 1, (_, count) => count + 1);
        var body = JsonSerializer.SerializeToUtf8Bytes(new { token, access_token = token, expires_in = (int)TokenLifetime.TotalSeconds });
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
        return GateAnswer.Done;
    }

    private static bool Opens(string opened, string repository) => opened.StartsWith(repository + '\n', StringComparison.Ordinal);

    private static async Task<GateAnswer> RefuseAsync(HttpContext context, int status, string message)
    {
        await OciError.WriteAsync(context, status, message);
        return GateAnswer.Done;
    }

    private static string? RepositoryOf(string path)
    {
        if (!path.StartsWith("/v2/", StringComparison.Ordinal)) return null;
        var end = new[] { "/manifests/", "/blobs/", "/tags/list", "/referrers/" }.Max(part => path.LastIndexOf(part, StringComparison.Ordinal));
        return end > "/v2/".Length ? path["/v2/".Length..end] : null;
    }

    private string Sign(string path) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(path)));
}
