using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Entrepot.Hosting.Serving;

/// <summary>A connection's output whose flushes always end on a thread of the pool (<see cref="InlineSockets"/>).</summary>
internal sealed class PoolOutput(PipeWriter inner) : PipeWriter
{
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushing = inner.FlushAsync(cancellationToken);
        return flushing.IsCompletedSuccessfully ? flushing : HopAsync(flushing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<FlushResult> HopAsync(ValueTask<FlushResult> pending)
    {
        try
        {
            return await pending;
        }
        finally
        {
            await Task.Yield();
        }
    }
}
