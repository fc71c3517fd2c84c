using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>How the process starts, is configured, serves TLS and stops.</summary>
public sealed class ProcessTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private const long MiB = 1L << 20;

    [StandaloneFact("where a cluster's clients come is its proxy's to say")]
    public async Task It_says_where_it_listens_where_its_data_lies_and_what_to_paste()
    {
        await using var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings());
        await Eventually.Async(() => entrepot.LogText.Contains("registry-mirrors", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the lines to paste");
        Assert.Contains(entrepot.Url.Authority, entrepot.LogText, StringComparison.Ordinal);
        Assert.Contains(entrepot.DataDirectory, entrepot.LogText, StringComparison.Ordinal);
        Assert.Contains("hosts.toml", entrepot.LogText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listening_beyond_loopback_with_upstream_credentials_is_warned_of()
    {
        var settings = new EntrepotSettings().Add("secret.test", new Uri("http://127.0.0.1:9"), ("Username", "u"), ("Password", "hidden-pw"));
        await using (var local = await EntrepotProcess.StartNewAsync(settings))
            Assert.DoesNotContain("secret.test has credentials", local.LogText, StringComparison.Ordinal);
        var port = FreePort.Next();
        settings.ExtraUrls.Add($"http://0.0.0.0:{port}");
        await using var exposed = await EntrepotProcess.StartNewAsync(settings);
        await Eventually.Async(() => exposed.LogText.Contains("secret.test has credentials", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the warning");
        Assert.DoesNotContain("hidden-pw", exposed.LogText, StringComparison.Ordinal);
    }

    [StandaloneFact("each process of a cluster reads its own sections")]
    public async Task Every_mistake_in_the_configuration_is_reported_at_once_with_key_value_and_fix()
    {
        var settings = new EntrepotSettings()
            .Set("DefaultUpstream", "nowhere.test")
            .Set("Urlz", "http://127.0.0.1:1")
            .Set("Api", new Dictionary<string, object?> { ["HeaderTimeout"] = "3 fortnights" })
            .Set("Janitor", new Dictionary<string, object?> { ["MaxStoreBytes"] = "lots" })
            .Set("Fetcher", new Dictionary<string, object?> { ["Slots"] = 100000 })
            .Set("Upstreams", new Dictionary<string, object?>
            {
                ["ghcr.io"] = new Dictionary<string, object?> { ["Url"] = "htps://ghcr.io" },
                ["plain"] = new Dictionary<string, object?> { ["Url"] = "https://plain.test" },
                ["half.test"] = new Dictionary<string, object?> { ["Url"] = "https://half.test", ["Password"] = "s3cr3t-half" },
            });
        var result = await EntrepotProcess.RunToExitAsync(settings, TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, result.ExitCode);
        foreach (var named in new[] { "DefaultUpstream", "nowhere.test", "Urlz", "Urls", "Api:HeaderTimeout", "3 fortnights", "Janitor:MaxStoreBytes", "lots", "Fetcher:Slots", "100000", "Upstreams:ghcr.io:Url", "htps://ghcr.io", "Upstreams:plain", "Upstreams:half.test:Username" })
            Assert.Contains(named, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t-half", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"Urls\": ", "entrepot.json")]
    [InlineData(null, "missing.json")]
    public async Task A_configuration_file_that_is_missing_or_broken_is_named(string? text, string name)
    {
        using var folder = new TempFolder("config");
        if (text is not null) await File.WriteAllTextAsync(folder.File(name), text);
        var settings = new EntrepotSettings();
        settings.Arguments.AddRange(["--config", folder.File(name)]);
        var result = await EntrepotProcess.RunToExitAsync(settings, TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(folder.File(name), result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Output, StringComparison.Ordinal);
    }

    [StandaloneFact("the process of a cluster that answers clients has no data folder")]
    public async Task A_data_folder_in_use_is_named()
    {
        await using var first = await EntrepotProcess.StartNewAsync(new EntrepotSettings());
        var result = await EntrepotProcess.RunToExitAsync(new EntrepotSettings { DataDirectory = first.DataDirectory }, TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(first.DataDirectory, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        await using var first = await EntrepotProcess.StartNewAsync(new EntrepotSettings());
        var result = await EntrepotProcess.RunToExitAsync(new EntrepotSettings().Set("Urls", first.Url.ToString()), TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(first.Url.Authority, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_serves_TLS_from_PEM_files_and_takes_up_new_ones()
    {
        using var folder = new TempFolder("tls");
        WriteCertificate(folder, "first");
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var port = FreePort.Next();
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Tls", new Dictionary<string, object?> { ["CertificateFile"] = folder.File("tls.crt"), ["KeyFile"] = folder.File("tls.key") });
        settings.ExtraUrls.Add($"https://127.0.0.1:{port}");
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);

        Assert.Equal("CN=first", await SubjectAsync(port, "/v2/library/small/manifests/1"));
        WriteCertificate(folder, "second");
        await Eventually.Async(async () => await SubjectAsync(port, "/v2/") == "CN=second", TimeSpan.FromSeconds(15), "the new certificate");
        await File.WriteAllTextAsync(folder.File("tls.crt"), "broken");
        await Eventually.Async(async () =>
        {
            Assert.Equal("CN=second", await SubjectAsync(port, "/v2/"));
            return entrepot.LogText.Contains("tls.crt", StringComparison.Ordinal);
        }, TimeSpan.FromSeconds(15), "the broken file to be logged");
    }

    [Fact]
    public async Task A_graceful_stop_is_not_ready_first_and_finishes_the_bodies_that_run()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 16 << 20;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url).Set("DrainDelay", "1500ms"));
        var layer = fixture.Medium.Layers[0];
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 0, TimeSpan.FromSeconds(10), "the pull to begin");
        Assert.Equal(System.Net.HttpStatusCode.OK, await ReadyAsync());
        entrepot.BeginStop();
        await Eventually.Async(async () => await ReadyAsync() == System.Net.HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2), "it to be not ready");
        Assert.False(pull.IsCompleted);

        Assert.Equal((true, layer.Digest), ((await pull).Completed, (await pull).Digest));
        await Eventually.Async(() => entrepot.HasExited, TimeSpan.FromSeconds(20), "it to end");

        async Task<System.Net.HttpStatusCode> ReadyAsync()
        {
            using var ready = await entrepot.GetAsync("/readyz");
            return ready.StatusCode;
        }
    }

    [StandaloneFact("a cluster's download goes to another fetcher, not to the next life of its own")]
    public async Task A_stop_beyond_its_grace_ends_bodies_short_and_the_download_is_resumed_at_the_next_start()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 4 << 20;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url).Set("ShutdownGrace", "1s"));
        var layer = fixture.Medium.Layers[0];
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 30 * MiB, TimeSpan.FromSeconds(20), "most of the blob");
        var stopped = await entrepot.StopAsync();
        Assert.NotEqual(BodyEnd.Whole, (await pull).End);
        Assert.DoesNotContain("   at ", stopped.Output, StringComparison.Ordinal);
        upstream.BytesPerSecond = null;
        await entrepot.StartAsync();
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest)).Digest);
        Assert.InRange(upstream.Log.BlobBytes(layer.Digest), layer.Size, layer.Size + (10 * MiB));
    }

    private static async Task<string?> SubjectAsync(int port, string path)
    {
        string? subject = null;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => (subject = certificate?.Subject) is not null },
        });
        using var answer = await client.GetAsync(new Uri($"https://127.0.0.1:{port}{path}"));
        Assert.True(answer.IsSuccessStatusCode);
        return subject;
    }

    private static void WriteCertificate(TempFolder folder, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(folder.File("tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(folder.File("tls.crt"), certificate.ExportCertificatePem());
    }
}
