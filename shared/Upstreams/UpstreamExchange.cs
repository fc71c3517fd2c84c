using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>One upstream as the requests for manifests, blobs and lists see it: calls, their failures in words, and small bodies. Thread-safe.</summary>
internal sealed class UpstreamExchange(UpstreamSession session, UpstreamMetrics metrics, TimeProvider time)
{
    private const int MaxErrorBytes = 8 * 1024;
    private static readonly TimeSpan ErrorBodyDeadline = TimeSpan.FromSeconds(2);
    private readonly UpstreamSender _sender = new(session, metrics, time);

    public Upstream Upstream => session.Upstream;

    public RequestSlots Slots => session.Slots;

    /// <summary>Any response, or why there is none.</summary>
    public Task<UpstreamResult<Reply>> SendAsync(UpstreamCall call, CancellationToken cancellationToken) => _sender.SendAsync(call, cancellationToken);

    /// <summary>The failure an unexpected response stands for; disposes it.</summary>
    public async Task<UpstreamFailure> FailAsync(Reply reply, UpstreamCall call, CancellationToken cancellationToken)
    {
        await using var body = Open(reply.Response, call, cancellationToken);
        string? code = null;
        if (call.Method == HttpMethod.Get)
        {
            try
            {
                code = await body.ReadAllOrNullAsync(MaxErrorBytes, ErrorBodyDeadline, cancellationToken) is { } bytes ? Replies.ErrorCode(bytes) : null;
            }
            catch (UpstreamReadException)
            {
                // The status says enough.
            }
        }

        return Replies.ToFailure(Upstream, call.Subject, reply.Response, code, time);
    }

    /// <summary>The whole of a small body; disposes the reply.</summary>
    public async Task<UpstreamResult<ReadOnlyMemory<byte>>> ReadAsync(Reply reply, UpstreamCall call, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = Open(reply.Response, call, cancellationToken);
            if (await body.ReadAllOrNullAsync(maxBytes, 2 * Upstream.Options.StallTimeout, cancellationToken) is not { } bytes)
                return Fail(FetchOutcome.TooLarge, $"offers more than {maxBytes} bytes as {call.Subject}");
            metrics.CountBytes(Upstream, bytes.Length);
            return bytes;
        }
        catch (UpstreamReadException exception)
        {
            return exception.Failure;
        }
    }

    public GuardedBody Open(HttpResponseMessage response, UpstreamCall call, CancellationToken cancellationToken) =>
        new(Upstream, response, call.Subject, time, cancellationToken);

    public UpstreamFailure? FindFault(Reply reply, UpstreamCall call, Digest? wanted) =>
        Replies.FindFault(reply.Response, wanted) is { } fault ? Fail(FetchOutcome.Corrupt, $"{fault} for {call.Subject}", (int)reply.Status) : null;

    public UpstreamFailure Fail(FetchOutcome outcome, string what, int? status = null) => new(outcome, $"Upstream {Upstream.Name} {what}.", null, status);

    public void CountBytes(int bytes) => metrics.CountBytes(Upstream, bytes);
}
