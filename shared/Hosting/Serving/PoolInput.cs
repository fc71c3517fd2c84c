using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Entrepot.Hosting.Serving;

/// <summary>A connection's input whose reads always end on a thread of the pool: for what follows them behind TLS, handshakes above all (<see cref="InlineSockets"/>).</summary>
internal sealed class PoolInput(PipeReader inner) : PipeReader
{
    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reading = inner.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? reading : HopAsync(reading);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<ReadResult> HopAsync(ValueTask<ReadResult> pending)
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
