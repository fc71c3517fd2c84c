using System.Net.Security;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// The certificate that new TLS connections get. At most once a second a new connection makes it compare the two files with what it
/// holds: by content, because a mounted secret changes through a link whose own time and length stay. Files that are broken leave the
/// old certificate in use and are logged once. Thread-safe.
/// </summary>
internal sealed partial class CertificateStore
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _one = new();
    private (string Certificate, string Key) _seen;
    private SslStreamCertificateContext _current;
    private long _checkedAt;

    /// <summary>Loads both files.</summary>
    /// <exception cref="PemException">They are no certificate and its key.</exception>
    public CertificateStore(TlsOptions options, TimeProvider time, ILogger<CertificateStore> logger)
    {
        (_certificateFile, _keyFile) = (options.CertificateFile!, options.KeyFile!);
        (_time, _logger) = (time, logger);
        _seen = (File.ReadAllText(_certificateFile), File.ReadAllText(_keyFile));
        _current = PemFiles.Load(_seen.Certificate, _seen.Key);
        _checkedAt = time.GetTimestamp();
    }

    /// <summary>What the next connection presents.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            // Whoever finds another one checking takes what there is.
            if (_time.GetElapsedTime(Volatile.Read(ref _checkedAt)) >= Between && _one.TryEnter())
            {
                try
                {
                    Reload();
                    Volatile.Write(ref _checkedAt, _time.GetTimestamp());
                }
                finally
                {
                    _one.Exit();
                }
            }

            return Volatile.Read(ref _current);
        }
    }

    private void Reload()
    {
        try
        {
            var found = (File.ReadAllText(_certificateFile), File.ReadAllText(_keyFile));
            if (found == _seen)
                return;
            _seen = found;
            var loaded = PemFiles.Load(found.Item1, found.Item2);

            // Running handshakes may still hold the old one: the collector takes it.
            Volatile.Write(ref _current, loaded);
            Reloaded(_logger, loaded.TargetCertificate.Subject, loaded.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_seen != default)
                KeptOld(_logger, _certificateFile, _keyFile, e.Message);
            _seen = default;
        }
        catch (PemException e)
        {
            KeptOld(_logger, _certificateFile, _keyFile, e.Message);
        }
    }

    [LoggerMessage(9002, LogLevel.Information, "Certificate {Subject} loaded, valid until {NotAfter:u}")]
    private static partial void Reloaded(ILogger logger, string subject, DateTime notAfter);

    [LoggerMessage(9003, LogLevel.Error, "{CertificateFile} and {KeyFile} have changed and cannot be used, the old certificate stays in use: {Problem}")]
    private static partial void KeptOld(ILogger logger, string certificateFile, string keyFile, string problem);
}
