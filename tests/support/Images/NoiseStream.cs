namespace Entrepot.TestSupport.Images;

/// <summary>A readable stream of so many incompressible bytes; it says its length, which a tar header needs before the first byte.</summary>
internal sealed class NoiseStream(long length, int seed) : Stream
{
    private readonly Noise _noise = new(seed);
    private readonly byte[] _block = new byte[1 << 16];
    private long _position;
    private int _blockOffset = 1 << 16;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => length;
    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (_blockOffset == _block.Length)
        {
            _noise.Fill(_block);
            _blockOffset = 0;
        }

        var count = (int)Math.Min(Math.Min(buffer.Length, _block.Length - _blockOffset), length - _position);
        _block.AsSpan(_blockOffset, count).CopyTo(buffer);
        _blockOffset += count;
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
