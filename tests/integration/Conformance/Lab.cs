using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>
/// One Entrepot before one upstream, for all facts. <c>lab.test</c> is the default upstream; <c>docker.io</c>, <c>errors.test</c> and
/// <c>registry.test:5000</c> are the same registry; <c>quay.io</c> (prefix <c>quay</c>) is another one.
/// </summary>
public sealed class Lab : IAsyncLifetime
{
    private readonly TempFolder _folder = new("conformance");
    private readonly int _httpsPort = FreePort.Next();
    private readonly Dictionary<string, Task<EntrepotProcess>> _others = [];
    private LabContents _contents = null!;
    private MemoryRegistry _otherRegistry = null!;
    private UpstreamFront _other = null!;
    private HubImitation? _hub;

    /// <summary>What the upstream holds.</summary>
    public MemoryRegistry Registry { get; private set; } = null!;

    /// <summary>The upstream as Entrepot sees it.</summary>
    public UpstreamFront Upstream { get; private set; } = null!;

    /// <summary>The cache.</summary>
    public EntrepotProcess Entrepot { get; private set; } = null!;

    /// <summary>Where it speaks TLS.</summary>
    public Uri Https => new($"https://127.0.0.1:{_httpsPort}");

    internal LabContents Contents => _contents;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Registry = await MemoryRegistry.StartNewAsync();
        _otherRegistry = await MemoryRegistry.StartNewAsync();
        _contents = new LabContents(Registry);
        LabNames.AddTo(Registry, _contents);
        ReferrersFacts.AddTo(Registry, _contents["small"].Digest);
        var many = Registry.Repository("lists/many");
        (many.ListedTags, many.TagPage) = (["b", "a", "B", "10", "2", "1", "latest"], 3);
        _otherRegistry.Repository("library/small").AddManifest(_contents["docker"].Bytes, MediaTypes.DockerManifest, "1");
        Upstream = await UpstreamFront.StartNewAsync(Registry.Url);
        _other = await UpstreamFront.StartNewAsync(_otherRegistry.Url);
        Entrepot = await EntrepotProcess.StartNewAsync(Settings());
        foreach (var blob in new[] { "layer", "config", "empty", "one", "layer512", "gzip" })
        {
            Assert.Equal(200, (await GetAsync($"/v2/library/small/blobs/{{{blob}}}")).Status);
            await UntilHeldAsync($"/v2/library/small/blobs/{{{blob}}}");
        }
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var other in _others.Values)
        {
            // One that could not start has failed its facts already.
            if (other.IsCompletedSuccessfully) await (await other).DisposeAsync();
        }

        if (_hub is not null) await _hub.DisposeAsync();
        await Entrepot.DisposeAsync();
        await Upstream.DisposeAsync();
        await _other.DisposeAsync();
        await Registry.DisposeAsync();
        await _otherRegistry.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The text with its placeholders filled.</summary>
    public string Fill(string text) => Placeholders.Fill(text, name => (_contents[name].Digest, _contents[name].Bytes.Length));

    /// <summary>The bytes of a content.</summary>
    public byte[] Bytes(string content) => _contents[content].Bytes;

    /// <summary>Sends a request and reads its answer to the end of the connection; what <see cref="Always"/> holds is checked.</summary>
    /// <param name="lines">A method and a target (placeholders are filled, <c>HTTP/1.1</c> is added), then headers; Host and Connection: close are added.</param>
    public Task<RawResponse> SendAsync(params string[] lines) => SendToAsync(Entrepot.Port, lines);

    /// <summary>A GET.</summary>
    public Task<RawResponse> GetAsync(string target, params string[] headers) => SendAsync(["GET " + target, .. headers]);

    /// <summary>A HEAD.</summary>
    public Task<RawResponse> HeadAsync(string target, params string[] headers) => SendAsync(["HEAD " + target, .. headers]);

    /// <inheritdoc cref="SendAsync(string[])"/>
    public async Task<RawResponse> SendToAsync(int port, params string[] lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var all = lines.Select(Fill).ToList();
        if (!all[0].Contains(" HTTP/", StringComparison.Ordinal)) all[0] += " HTTP/1.1";
        if (!all.Exists(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))) all.Insert(1, "Host: cache.test");
        if (!all.Exists(line => line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase))) all.Add("Connection: close");
        var isHead = all[0].StartsWith("HEAD ", StringComparison.Ordinal);

        // A HEAD is read as a GET would be: a body that must not be there is then seen.
        var answer = await RawHttp.SendBytesAsync(port, Encoding.Latin1.GetBytes(string.Join("\r\n", all) + "\r\n\r\n"));
        Always.Check(answer, isHead);
        return answer;
    }

    /// <summary>Waits until a GET is answered from the store.</summary>
    public Task UntilHeldAsync(string target) =>
        Eventually.Async(async () => (await HeadAsync(target)).Header("X-Cache") == "HIT", TimeSpan.FromSeconds(10), $"{target} to be held");

    /// <summary>A repository of the upstream that no other fact uses, with one image (its own manifest, tag 1) and the layer.</summary>
    /// <returns>The repository, the manifest's bytes and its digest.</returns>
    internal (MemoryRepository Repository, byte[] Manifest, string Digest) NewRepository(string name)
    {
        var repository = Registry.Repository(name);
        var manifest = _contents.Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, name);
        repository.AddBlob(_contents["layer"].Bytes);
        repository.AddBlob(_contents["config"].Bytes);
        return (repository, manifest, repository.AddManifest(manifest, MediaTypes.OciManifest, "1"));
    }

    /// <summary>Scripts the upstream's answer to tag 1 of a repository, GET and HEAD, and asks for it.</summary>
    internal Task<RawResponse> ScriptedManifestAsync(string name, MemoryAnswer answer)
    {
        Registry.Script($"/v2/scripted/{name}/manifests/1", answer);
        return GetAsync($"/v2/errors.test/scripted/{name}/manifests/1");
    }

    /// <summary>Scripts the upstream's answer to a blob, and asks for it.</summary>
    internal Task<RawResponse> ScriptedBlobAsync(string name, MemoryAnswer answer)
    {
        var digest = MemoryRepository.DigestOf(Encoding.UTF8.GetBytes(name), sha512: false);
        Registry.Script($"/v2/scripted/{name}/blobs/{digest}", answer);
        return GetAsync($"/v2/errors.test/scripted/{name}/blobs/{digest}");
    }

    /// <summary>An Entrepot of its own before the same upstream.</summary>
    internal Task<EntrepotProcess> StartAnotherAsync(Action<EntrepotSettings>? change = null, Uri? upstream = null)
    {
        var settings = EntrepotSettings.WithUpstream(upstream ?? Upstream.Url);
        change?.Invoke(settings);
        return EntrepotProcess.StartNewAsync(settings);
    }

    /// <summary>Docker Hub's ways before the same registry, and an Entrepot before it; started by the first fact that asks for them.</summary>
    internal async Task<(HubImitation Hub, EntrepotProcess Entrepot)> HubAsync()
    {
        _hub ??= await HubImitation.StartNewAsync(Registry.Url);
        return (_hub, await OnceAsync("hub", () => StartAnotherAsync(upstream: _hub.Url)));
    }

    /// <summary>An Entrepot that several facts share, started by the first of them.</summary>
    internal Task<EntrepotProcess> OnceAsync(string name, Func<Task<EntrepotProcess>> start) =>
        _others.TryGetValue(name, out var running) ? running : _others[name] = start();

    internal Uri OtherUrl => _other.Url;

    internal static string Show(RawResponse answer) =>
        $"{answer.StatusLine}\n{string.Join('\n', answer.Headers.Select(header => $"{header.Key}: {header.Value}"))}\n\n{Encoding.Latin1.GetString(answer.Body.AsSpan(0, Math.Min(answer.Body.Length, 500)))}";

    private EntrepotSettings Settings()
    {
        var (certificate, key) = MakeCertificate();
        var settings = EntrepotSettings.WithUpstream(Upstream.Url)
            .Add("errors.test", Upstream.Url)
            .Add("registry.test:5000", Upstream.Url)
            .Add("quay.io", _other.Url, ("Prefix", "quay"))
            .Set("Tls", new Dictionary<string, object?> { ["CertificateFile"] = certificate, ["KeyFile"] = key });
        settings.ExtraUrls.Add($"https://127.0.0.1:{_httpsPort}");
        return settings;
    }

    private (string Certificate, string Key) MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cache.test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificateFile, keyFile) = (_folder.File("tls.crt"), _folder.File("tls.key"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }
}

/// <summary>All facts, one after another, with one lab; beside those tests that mostly wait.</summary>
[CollectionDefinition(Name)]
public sealed class ConformanceCollection : ICollectionFixture<Lab>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "conformance";
}
