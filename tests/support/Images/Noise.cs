using System.Runtime.InteropServices;

namespace Entrepot.TestSupport.Images;

/// <summary>Incompressible bytes, the same for the same seed on every machine (xorshift64*: a seeded System.Random is ten times slower).</summary>
internal sealed class Noise(int seed)
{
    private ulong _state = unchecked((ulong)(uint)seed * 0x9E3779B97F4A7C15UL + 0xD1B54A32D192ED03UL);

    /// <summary>Fills the buffer with the next bytes. Only whole multiples of 8 keep the sequence independent of how it is cut.</summary>
    public void Fill(Span<byte> buffer)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(buffer);
        for (var i = 0; i < words.Length; i++) words[i] = Next();
        var rest = buffer[(words.Length * sizeof(ulong))..];
        if (rest.IsEmpty) return;
        var last = Next();
        for (var i = 0; i < rest.Length; i++) rest[i] = (byte)(last >> (8 * i));
    }

    private ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 0x2545F4914F6CDD1DUL;
    }
}
