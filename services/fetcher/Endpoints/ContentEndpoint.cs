using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Hosting.Serving;
using Entrepot.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Endpoints;

/// <summary>
/// Lets the api's replicas read this process's running downloads (<see cref="InternalRoutes"/>). A body ends short when its download ends, and when this process
/// does: whoever reads asks the row again who has the rest.
/// </summary>
internal sealed class ContentEndpoint(LiveSpools live, InternalSettings settings, Draining draining, TimeProvider time, ILogger<ContentEndpoint> log)
{
    private const int ChunkBytes = 256 * 1024, FileStepBytes = 1024 * 1024;

    private readonly Seldom _refusals = new(TimeSpan.FromSeconds(10), time);
    private readonly byte[] _token = Encoding.UTF8.GetBytes("Bearer " + settings.Token);

    public async Task HandleAsync(HttpContext http)
    {
        if (Activity.Current is { Recorded: true } activity) activity.DisplayName = "read spool";
        var response = http.Response;
        response.Headers.CacheControl = "no-store";
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString()), _token))
        {
            response.StatusCode = StatusCodes.Status401Unauthorized;
            if (_refusals.IsDue()) log.ReaderRefused(http.Connection.RemoteIpAddress);
            return;
        }
        var parts = http.Request.Path.Value![InternalRoutes.Prefix.Length..].Split('/');
        if (parts.Length != 3 || !HttpMethods.IsGet(http.Request.Method)
            || !Guid.TryParseExact(parts[0], "N", out var id) || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)
            || await live.FindOrNullAsync(id, fence, "", http.RequestAborted) is not { } fetch)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (await fetch.WaitForAnswerAsync(http.RequestAborted) is not { } answer)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (parts[2] == "answer")
        {
            response.Headers[InternalRoutes.Upstream] = answer.Upstream;
            response.Headers[InternalRoutes.Repository] = answer.Repository;
            response.Headers[InternalRoutes.Size] = answer.Size.ToString(CultureInfo.InvariantCulture);
            return;
        }
        await SendAsync(http, fetch, StartOf(http.Request.Headers.Range.ToString()), answer.Size);
    }

    private async Task SendAsync(HttpContext http, ILiveFetch fetch, long start, long size)
    {
        var response = http.Response;
        using var source = start < size ? fetch.OpenOrNull(start) : null;
        if (source is null)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        response.StatusCode = StatusCodes.Status206PartialContent;
        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{size - 1}/{size}");
        response.ContentLength = size - start;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, draining.CutShort);
        try
        {
            await response.StartAsync(ending.Token);
            if (await CopyAsync(http, source, start, size, ending.Token)) return;
        }
        catch (OperationCanceledException)
        {
            // The reader has gone, or this process goes.
        }
        // To return short of the length is an error of ours to the web server, and in the log. Whoever reads here asks the row who has the rest, however this ends.
#pragma warning disable RS0030
        http.Abort();
#pragma warning restore RS0030
    }

    /// <summary>False when it ends short.</summary>
    private static async Task<bool> CopyAsync(HttpContext http, IBlobSource source, long start, long size, CancellationToken cancellationToken)
    {
        var (writer, files) = (http.Response.BodyWriter, http.Features.Get<IDirectBodyFeature>());
        for (var offset = start; offset < size;)
        {
            if (!await source.WaitAsync(offset, cancellationToken)) return false;
            if (files is not null && source.FileAt(offset) is { } stretch)
            {
                var sent = await files.SendAsync(writer, stretch.File, offset, (int)Math.Min(stretch.Count, FileStepBytes), cancellationToken);
                if (sent.IsGone || sent.Bytes == 0) return false;
                offset += sent.Bytes;
                continue;
            }
            var read = await source.ReadAsync(offset, writer.GetMemory(ChunkBytes), cancellationToken);
            if (read == 0) return false;
            writer.Advance(read);
            offset += read;
            if ((await writer.FlushAsync(cancellationToken)).IsCompleted) return false;
        }
        return true;
    }

    /// <summary>N of <c>bytes=N-</c>; 0 without one.</summary>
    private static long StartOf(string range) =>
        range.StartsWith("bytes=", StringComparison.Ordinal) && long.TryParse(range.AsSpan(6).TrimEnd('-'), NumberStyles.None, CultureInfo.InvariantCulture, out var start) ? start : 0;
}
