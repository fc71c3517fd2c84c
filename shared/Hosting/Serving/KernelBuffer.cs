using System.Buffers;
using System.Runtime.InteropServices;
using Entrepot.Hosting.Serving;

namespace Entrepot.Hosting;

/// <summary>
/// A buffer for bytes that go from one connection to another. A <see cref="SpliceStream"/> that is to read into its <see cref="Memory"/> leaves them in the kernel
/// and says only how many they are; whatever else fills it copies, as always. <see cref="IDirectBodyFeature"/> sends either. For one read and the
/// sending of it in turn, by one user at a time; to be disposed of when neither is under way.
/// </summary>
public sealed class KernelBuffer : MemoryManager<byte>
{
    /// <summary>Its size.</summary>
    public const int Bytes = 1024 * 1024;

    private byte[]? _copied;
    private KernelPipe? _pipe;

    /// <inheritdoc/>
    public override Memory<byte> Memory => CreateMemory(Bytes);

    /// <summary>The pipe that has the bytes; null, or empty, when they were copied.</summary>
    internal KernelPipe? Pipe => _pipe;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => Copied.AsSpan(0, Bytes);

    /// <inheritdoc/>
    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        var pinned = GCHandle.Alloc(Copied, GCHandleType.Pinned);
        return new MemoryHandle((byte*)pinned.AddrOfPinnedObject() + elementIndex, pinned);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // The handle does it.
    }

    /// <summary>A pipe to be filled; null where there is none, and the bytes are to be copied.</summary>
    internal KernelPipe? OpenPipeOrNull() => _pipe ??= KernelPipe.OpenOrNull(Bytes);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        _pipe?.Dispose();
        if (_copied is not null) ArrayPool<byte>.Shared.Return(_copied);
        (_pipe, _copied) = (null, null);
    }

    private byte[] Copied => _copied ??= ArrayPool<byte>.Shared.Rent(Bytes);
}
