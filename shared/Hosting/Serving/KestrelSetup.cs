using System.Net.Security;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Entrepot.Hosting.Serving;

/// <summary>Kestrel as every process has it: addresses, TLS, limits.</summary>
internal static class KestrelSetup
{
    // Nothing is uploaded here. A body that a client sends all the same is read and dropped up to this size, so that a client
    // that first sends and then reads still gets its 405 instead of a reset.
    private const long DroppedBodyBytes = 4 << 20;

    public static void Configure(KestrelServerOptions kestrel, PlatformOptions options)
    {
        kestrel.AddServerHeader = false;

        // A client may be as slow as it likes: it holds a socket and no memory.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestLineSize = 16 << 10;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 << 10;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestBodySize = DroppedBodyBytes;

        // RFC 9110 §5.5 allows any byte from 0x80 up in a value. The default, UTF-8, refuses the whole request for one.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        foreach (var address in options.ListenAddresses())
            Listen(kestrel, address, options.SendFile);
    }

    private static void Listen(KestrelServerOptions kestrel, ListenAddress address, bool sendFile)
    {
        void Endpoint(ListenOptions listen)
        {
            listen.Protocols = address.IsHttps ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            if (!address.IsHttps && sendFile && OperatingSystem.IsLinux())
                ConnectionPipes.UseSocketOutput(listen);
            else
                ConnectionPipes.UsePool(listen);
            if (address.IsHttps)
                UseTls(listen, kestrel.ApplicationServices.GetRequiredService<CertificateStore>());
        }

        if (address.Address is { } ip)
            kestrel.Listen(ip, address.Port, Endpoint);
        else if (address.Host == "localhost")
            kestrel.ListenLocalhost(address.Port, Endpoint);
        else
            kestrel.ListenAnyIP(address.Port, Endpoint);
    }

    // The callback form, because a certificate selector cannot present intermediates.
    private static void UseTls(ListenOptions listen, CertificateStore certificates) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificates.Current }),
    });
}
