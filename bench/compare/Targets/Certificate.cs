using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Entrepot.Bench.Running;

namespace Entrepot.Bench.Targets;

/// <summary>The one certificate that all servers of a run use: P-256, signed by itself, for 127.0.0.1.</summary>
/// <param name="CertificateFile">PEM.</param>
/// <param name="KeyFile">PEM.</param>
internal sealed record Certificate(string CertificateFile, string KeyFile)
{
    private static byte[] _ours = [];

    /// <summary>Whether a server showed the one that was made last in this process.</summary>
    public static bool IsOurs(X509Certificate? certificate) => certificate?.GetCertHash(HashAlgorithmName.SHA256).AsSpan().SequenceEqual(_ours) == true;

    /// <summary>Makes one.</summary>
    public static Certificate Make(WorkFolder work)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        _ours = certificate.GetCertHash(HashAlgorithmName.SHA256);
        var folder = work.New("certificate");
        var made = new Certificate(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        File.WriteAllText(made.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(made.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return made;
    }
}
