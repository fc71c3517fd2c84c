using System.Net;
using Entrepot.Bench.Targets;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Running;

/// <summary>Small requests outside of what is measured by <see cref="Measuring.Reader"/>: readiness, manifests, status pages. Safe to use from several threads.</summary>
internal static class Web
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => Certificate.IsOurs(certificate) } })
    {
        Timeout = TimeSpan.FromMinutes(1),
    };

    /// <summary>The body of a 200.</summary>
    /// <exception cref="BenchException">Another status came.</exception>
    public static async Task<byte[]> GetAsync(Uri url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept", MediaTypes.AcceptAll);
        using var answer = await Client.SendAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.OK) throw new BenchException($"GET {url.AbsolutePath}: {(int)answer.StatusCode}");
        return await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Gets something small and checks that it is what its digest names.</summary>
    /// <exception cref="BenchException">It is not, or did not come.</exception>
    public static async Task GetAsync(Uri url, string digest, CancellationToken cancellationToken)
    {
        var got = Content.DigestOf(await GetAsync(url, cancellationToken));
        if (got != digest) throw new BenchException($"GET {url.AbsolutePath}: the bytes are {got}, not {digest}");
    }

    /// <summary>Waits until a server answers <c>/v2/</c> with 200.</summary>
    /// <exception cref="BenchException">The process ended, or did not answer within 30 s; with what it wrote.</exception>
    public static async Task UntilReadyAsync(Uri url, ChildProcess process, CancellationToken cancellationToken)
    {
        try
        {
            await Eventually.Async(
                async () =>
                {
                    if (process.HasExited) return true;
                    await GetAsync(new Uri(url, "/v2/"), cancellationToken);
                    return true;
                },
                TimeSpan.FromSeconds(30),
                "an answer",
                cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new BenchException($"{e.Message} It wrote:\n{process.Output}");
        }

        if (!process.HasExited) return;
        var ended = await process.WaitForExitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        throw new BenchException($"it ended at its start with code {ended.ExitCode}: {ended.Output.Trim()}");
    }
}
