using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;

namespace Entrepot.Bench.Measuring;

/// <summary>TLS 1.3. The body is decrypted here and then forgotten; the same work for every server, as all must agree on the same cipher.</summary>
internal sealed class TlsConnection : Connection
{
    private const TlsCipherSuite Cipher = TlsCipherSuite.TLS_AES_256_GCM_SHA384;
    private readonly SslStream _tls;
    private readonly byte[] _forgotten = new byte[1 << 18];

    /// <summary>Connects and shakes hands.</summary>
    /// <exception cref="BenchException">The server chose another cipher.</exception>
    public TlsConnection(Uri url)
        : base(url)
    {
        _tls = new SslStream(new NetworkStream(Socket));
        _tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => Certificate.IsOurs(certificate),
        });
        if (_tls.NegotiatedCipherSuite != Cipher) throw new BenchException($"the server chose {_tls.NegotiatedCipherSuite}, not {Cipher}");
    }

    /// <inheritdoc/>
    public override int Receive(Span<byte> buffer) => _tls.Read(buffer);

    /// <inheritdoc/>
    public override int Discard() => _tls.Read(_forgotten);

    /// <inheritdoc/>
    protected override void Send(byte[] bytes) => _tls.Write(bytes);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _tls.Dispose();
        base.Dispose(disposing);
    }
}
