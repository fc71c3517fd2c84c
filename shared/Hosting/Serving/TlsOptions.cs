using System.ComponentModel;
using Entrepot.Hosting.Serving;

namespace Entrepot.Hosting;

/// <summary>The certificate of the https addresses. Both files are read again when they change.</summary>
public sealed class TlsOptions : IValidatableSection
{
    /// <summary>A PEM file: the certificate, then its intermediates.</summary>
    [Description("PEM file with the certificate, then its intermediates; read again when it changes")]
    public string? CertificateFile { get; set; }

    /// <summary>A PEM file with the certificate's unencrypted private key.</summary>
    [Description("PEM file with the certificate's unencrypted private key; read again when it changes")]
    public string? KeyFile { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (CertificateFile is null && KeyFile is null)
            yield break;
        if (CertificateFile is null)
            yield return new ConfigError($"{path}:CertificateFile", null, "is missing beside KeyFile", "name the PEM file of the certificate");
        else if (KeyFile is null)
            yield return new ConfigError($"{path}:KeyFile", null, "is missing beside CertificateFile", "name the PEM file of the private key");
        else if (PemFiles.FindProblem(CertificateFile, KeyFile) is { } found)
            yield return new ConfigError($"{path}:{(found.InKey ? nameof(KeyFile) : nameof(CertificateFile))}", found.InKey ? KeyFile : CertificateFile, found.Problem, found.Fix);
    }
}
