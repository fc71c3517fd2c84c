using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Entrepot.Hosting.Serving;

/// <summary>A certificate with its chain and private key, from PEM text.</summary>
internal static class PemFiles
{
    /// <summary>What is wrong with the pair, and in which of the two files; null when a server can use them.</summary>
    public static PemProblem? FindProblem(string certificateFile, string keyFile)
    {
        if (ReadOrNull(certificateFile, inKey: false, out var certificate) is { } unreadable)
            return unreadable;
        if (ReadOrNull(keyFile, inKey: true, out var key) is { } unreadableKey)
            return unreadableKey;
        try
        {
            Load(certificate, key).TargetCertificate.Dispose();
            return null;
        }
        catch (PemException e)
        {
            return e.Found;
        }
    }

    /// <summary>What a TLS server presents: the certificate and the intermediates that follow it. Reads no files, asks no network.</summary>
    /// <exception cref="PemException">The texts are no such pair.</exception>
    public static SslStreamCertificateContext Load(string certificateText, string keyText)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificateText);
        }
        catch (CryptographicException)
        {
            throw new PemException(new(false, "holds a broken certificate", "write it anew as PEM"));
        }

        if (chain.Count == 0)
            throw new PemException(new(false, "holds no certificate", "write a PEM file with BEGIN CERTIFICATE"));
        if (keyText.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new PemException(new(true, "holds an encrypted key", "write the key without a passphrase"));
        if (!keyText.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new PemException(new(true, "holds no private key", "write a PEM file with BEGIN PRIVATE KEY"));
        try
        {
            var certificate = X509Certificate2.CreateFromPem(certificateText, keyText);
            chain.RemoveAt(0);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new PemException(new(true, "is not the key of the certificate", "name the key that the certificate was made for"));
        }
    }

    private static PemProblem? ReadOrNull(string file, bool inKey, out string text)
    {
        text = "";
        try
        {
            text = File.ReadAllText(file);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new(inKey, File.Exists(file) ? $"cannot be read: {e.Message}" : "does not exist", "name a PEM file that this user can read");
        }
    }
}
