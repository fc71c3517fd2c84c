using System.Net;
using System.Net.Http.Headers;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>Blobs of one upstream.</summary>
internal sealed class BlobRequests(UpstreamExchange exchange)
{
    public async Task<UpstreamResult<long?>> HeadAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        using var slot = await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken);
        var call = Call(HttpMethod.Head, repository, digest, range: null);
        var sent = await exchange.SendAsync(call, cancellationToken);
        if (!sent.IsSuccess)
            return sent.Failure;

        using var reply = sent.Value;
        if (reply.Response.IsSuccessStatusCode)
            return exchange.FindFault(reply, call, digest) is { } fault ? fault : new UpstreamResult<long?>(reply.Response.Content.Headers.ContentLength);

        // Public ECR answers 401 whatever the token, and a redirect signed for GET answers 403: only a GET tells.
        return (int)reply.Status is 400 or 401 or 403 or 405 or 501
            ? await ProbeAsync(repository, digest, cancellationToken)
            : await exchange.FailAsync(reply, call, cancellationToken);
    }

    public async Task<UpstreamResult<BlobStream>> OpenAsync(
        string repository, Digest digest, long from, long? toInclusive, Uri? knownLocation, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        if (toInclusive < from)
            throw new ArgumentOutOfRangeException(nameof(toInclusive), toInclusive, $"The range must not end before its start {from}.");

        var slot = await exchange.Slots.AcquireAsync(forBlob: true, cancellationToken);
        try
        {
            var opened = await OpenInSlotAsync(repository, digest, from, toInclusive, knownLocation, slot, cancellationToken);
            if (!opened.IsSuccess)
                slot.Dispose();
            return opened;
        }
        catch
        {
            slot.Dispose();
            throw;
        }
    }

    private async Task<UpstreamResult<BlobStream>> OpenInSlotAsync(
        string repository, Digest digest, long from, long? toInclusive, Uri? knownLocation, IDisposable slot, CancellationToken cancellationToken)
    {
        var range = from > 0 || toInclusive is not null ? new RangeHeaderValue(from, toInclusive) : null;
        var call = Call(HttpMethod.Get, repository, digest, range);

        // 1. Where the last range came from, as long as that is willing: its signature expires, and then the registry gives a new one.
        UpstreamResult<Reply>? sent = null;
        if (knownLocation is not null)
        {
            sent = await exchange.SendAsync(call with { Uri = knownLocation }, cancellationToken);
            if (sent is { IsSuccess: true, Value: { Status: var refused } stale } && (int)refused is >= 400 and < 500 and not (416 or 429))
            {
                stale.Dispose();
                sent = null;
            }
            else if (sent.IsSuccess)
            {
                sent = sent.Value with { WasRedirected = true };
            }
        }

        // 2. The registry.
        sent ??= await exchange.SendAsync(call, cancellationToken);

        // 3. One that dislikes ranges, or has nothing to cut one from, gives the whole.
        if (range is not null && from == 0 && sent is { IsSuccess: true, Value: { Status: HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.BadRequest } refusal })
        {
            refusal.Dispose();
            call = call with { Range = null };
            sent = await exchange.SendAsync(call, cancellationToken);
        }

        return sent.IsSuccess ? await AcceptAsync(sent.Value, call, digest, slot, cancellationToken) : sent.Failure;
    }

    private async Task<UpstreamResult<BlobStream>> AcceptAsync(Reply reply, UpstreamCall call, Digest digest, IDisposable slot, CancellationToken cancellationToken)
    {
        var asked = call.Range?.Ranges.First();
        UpstreamFailure? failure;
        if (reply.Status == HttpStatusCode.RequestedRangeNotSatisfiable && asked?.From > 0)
            failure = exchange.Fail(FetchOutcome.Corrupt, $"has no byte {asked.From} of {call.Subject}", 416);
        else if (reply.Status is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
            return await exchange.FailAsync(reply, call, cancellationToken);
        else
            failure = exchange.FindFault(reply, call, digest);

        BlobRange range = default;
        if (failure is null && BlobRange.FindFault(reply.Response, asked, out range) is { } fault)
            failure = exchange.Fail(FetchOutcome.Corrupt, $"{fault} for {call.Subject}", (int)reply.Status);
        if (failure is not null)
        {
            reply.Dispose();
            return failure;
        }

        try
        {
            var location = reply.WasRedirected ? reply.FinalUri : null;
            return new BlobStream(exchange, exchange.Open(reply.Response, call, cancellationToken), range, location, call.Subject, slot);
        }
        catch
        {
            reply.Dispose();
            throw;
        }
    }

    /// <summary>Whether the first byte can be had, which is dropped.</summary>
    private async Task<UpstreamResult<long?>> ProbeAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        var call = Call(HttpMethod.Get, repository, digest, new RangeHeaderValue(0, 0));
        var sent = await exchange.SendAsync(call, cancellationToken);
        if (!sent.IsSuccess)
            return sent.Failure;

        using var reply = sent.Value;
        // 416 is the answer for an empty blob: it is there.
        if (reply.Status is not (HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable))
            return await exchange.FailAsync(reply, call, cancellationToken);
        if (exchange.FindFault(reply, call, digest) is { } fault)
            return fault;

        var headers = reply.Response.Content.Headers;
        return new UpstreamResult<long?>(reply.Status == HttpStatusCode.OK ? headers.ContentLength : headers.ContentRange?.Length);
    }

    private UpstreamCall Call(HttpMethod method, string repository, Digest digest, RangeHeaderValue? range)
    {
        Arguments.CheckRepository(repository);
        return new UpstreamCall(method, exchange.Upstream.ApiUri($"{repository}/blobs/{digest}"), repository, $"blob {repository}@{digest}") { Range = range };
    }
}
