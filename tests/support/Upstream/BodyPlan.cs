namespace Entrepot.TestSupport.Upstream;

/// <summary>How one body is to be sent: where it stops or changes, counted from the answer's own first byte, and how fast.</summary>
internal sealed class BodyPlan
{
    public BodyPlan(InjectedFault? fault, RecordedRequest record, long length, long? bytesPerSecond)
    {
        Fault = fault;
        BytesPerSecond = bytesPerSecond;
        AnnouncedLength = length < 0 ? null : length;
        if (fault?.Fault is not { } kind) return;
        switch (kind.Kind)
        {
            case FaultKind.FlipByte:
                FlipAt = (kind.At ?? record.TotalSize!.Value - 1) - record.FirstByte;
                break;
            case FaultKind.Truncate or FaultKind.Reset or FaultKind.HangMidBody:
                StopAt = kind.At!.Value - record.FirstByte;
                break;
            case FaultKind.ShortBody:
                StopAt = AnnouncedLength = Math.Max(0, length - kind.Count);
                break;
            case FaultKind.ExtraByte:
                AnnouncedLength = length + 1;
                break;
            case FaultKind.Slow:
                BytesPerSecond = kind.Count;
                break;
        }
    }

    public InjectedFault? Fault { get; }

    public FaultKind? Kind => Fault?.Fault.Kind;

    public long? AnnouncedLength { get; }

    public long? FlipAt { get; }

    public long? StopAt { get; set; }

    public long? BytesPerSecond { get; }
}
