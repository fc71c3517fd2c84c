using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Entrepot.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class TlsFacts : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    private string CertificateFile => Path.Combine(_folder, "tls.crt");

    private string KeyFile => Path.Combine(_folder, "tls.key");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Http_and_https_are_served_side_by_side_with_http2_on_https()
    {
        Write(TestCertificates.Make("one.test"));
        await using var host = await StartAsync(new ManualTime());
        var https = new Uri(host.App.Urls.Single(u => u.StartsWith("https", StringComparison.Ordinal)));
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } });
        foreach (var version in new[] { new Version(1, 1), new Version(2, 0) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, https) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request);
            Assert.Equal($"HTTP/{(version.Major == 2 ? "2" : "1.1")}", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal("HTTP/1.1", await client.GetStringAsync(host.App.Urls.Single(u => u.StartsWith("http:", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Changed_files_are_taken_and_broken_ones_leave_the_old_certificate()
    {
        Write(TestCertificates.Make("one.test"));
        var time = new ManualTime();
        await using var host = await StartAsync(time);
        Assert.Equal("CN=one.test", await SubjectAsync(host));

        Write(TestCertificates.Make("two.test"));
        Assert.Equal("CN=one.test", await SubjectAsync(host));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=two.test", await SubjectAsync(host));

        File.WriteAllText(CertificateFile, "garbage");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=two.test", await SubjectAsync(host));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=two.test", await SubjectAsync(host));
        Assert.Single(host.Log.Lines, l => l.StartsWith("Error: ", StringComparison.Ordinal) && l.Contains("have changed and cannot be used", StringComparison.Ordinal));

        File.Delete(KeyFile);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=two.test", await SubjectAsync(host));
        Write(TestCertificates.Make("three.test"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=three.test", await SubjectAsync(host));
    }

    [Fact]
    public async Task A_mounted_secret_that_changes_through_a_link_is_taken()
    {
        foreach (var (folder, name) in new[] { ("v1", "one.test"), ("v2", "two.test") })
        {
            Directory.CreateDirectory(Path.Combine(_folder, folder));
            var (certificate, key) = TestCertificates.Make(name);
            File.WriteAllText(Path.Combine(_folder, folder, "tls.crt"), certificate);
            File.WriteAllText(Path.Combine(_folder, folder, "tls.key"), key);
        }

        var data = Path.Combine(_folder, "data");
        Directory.CreateSymbolicLink(data, "v1");
        File.CreateSymbolicLink(CertificateFile, "data/tls.crt");
        File.CreateSymbolicLink(KeyFile, "data/tls.key");
        var time = new ManualTime();
        await using var host = await StartAsync(time);
        Assert.Equal("CN=one.test", await SubjectAsync(host));
        Directory.Delete(data);
        Directory.CreateSymbolicLink(data, "v2");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=two.test", await SubjectAsync(host));
    }

    [Fact]
    public async Task Intermediates_in_the_file_are_sent()
    {
        var (chain, key, root) = TestCertificates.MakeChain("one.test");
        Write((chain, key));
        await using var host = await StartAsync(new ManualTime());
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", HttpsPort(host));
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "one.test",
            CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        });
        Assert.True(tls.IsAuthenticated);
        root.Dispose();
    }

    [Fact]
    public void Files_that_cannot_be_used_are_mistakes_at_start()
    {
        var (certificate, key) = TestCertificates.Make("one.test");
        using var passphrase = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encrypted = passphrase.ExportEncryptedPkcs8PrivateKeyPem("pw", new(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1));
        Assert.Equal("CertificateFile: does not exist", Mistake(null, key));
        Assert.Equal("KeyFile: does not exist", Mistake(certificate, null));
        Assert.Equal("CertificateFile: holds no certificate", Mistake("garbage", key));
        Assert.Equal("CertificateFile: holds a broken certificate", Mistake("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key));
        Assert.Equal("KeyFile: holds no private key", Mistake(certificate, certificate));
        Assert.Equal("KeyFile: holds an encrypted key", Mistake(certificate, encrypted));
        Assert.Equal("KeyFile: is not the key of the certificate", Mistake(certificate, TestCertificates.Make("one.test").Key));
        Assert.Null(Mistake(certificate, key));
        Assert.Contains("Tls:CertificateFile: is missing", Assert.Single(new PlatformOptions { Urls = "https://*:1" }.Validate("")).ToString(), StringComparison.Ordinal);
    }

    private string? Mistake(string? certificate, string? key)
    {
        File.Delete(CertificateFile);
        File.Delete(KeyFile);
        if (certificate is not null)
            File.WriteAllText(CertificateFile, certificate);
        if (key is not null)
            File.WriteAllText(KeyFile, key);
        var error = new TlsOptions { CertificateFile = CertificateFile, KeyFile = KeyFile }.Validate("").SingleOrDefault();
        return error is null ? null : $"{error.Key}: {error.Problem}";
    }

    private void Write((string Certificate, string Key) pair)
    {
        File.WriteAllText(CertificateFile, pair.Certificate);
        File.WriteAllText(KeyFile, pair.Key);
    }

    private Task<TestHost> StartAsync(TimeProvider time) => TestHost.StartAsync(
        new() { ["Urls"] = "https://127.0.0.1:0;http://127.0.0.1:0", ["Tls:CertificateFile"] = CertificateFile, ["Tls:KeyFile"] = KeyFile },
        s => s.AddSingleton(time), app => app.Run(c => c.Response.WriteAsync(c.Request.Protocol)));

    private static int HttpsPort(TestHost host) => new Uri(host.App.Urls.Single(u => u.StartsWith("https", StringComparison.Ordinal))).Port;

    private static async Task<string> SubjectAsync(TestHost host)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", HttpsPort(host));
        await using var tls = new SslStream(tcp.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync("one.test");
        return tls.RemoteCertificate!.Subject;
    }
}
