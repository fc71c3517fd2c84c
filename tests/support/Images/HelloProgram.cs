using System.Buffers.Binary;
using System.Text;

namespace Entrepot.TestSupport.Images;

/// <summary>The smallest program that an image can run: a static x86-64 ELF that writes one line and ends. Source: System V ABI, ELF-64.</summary>
internal static class HelloProgram
{
    public const string Line = "hello from a test image\n";
    private const ulong LoadAddress = 0x400000;
    private const int HeadersSize = 64 + 56;

    public static byte[] Bytes { get; } = Make();

    private static byte[] Make()
    {
        var text = Encoding.ASCII.GetBytes(Line);
        byte[] code =
        [
            0xB8, 1, 0, 0, 0, // mov eax, 1 (write)
            0xBF, 1, 0, 0, 0, // mov edi, 1 (standard output)
            0x48, 0x8D, 0x35, 16, 0, 0, 0, // lea rsi, [rip + 16]: the text behind the code
            0xBA, (byte)text.Length, 0, 0, 0, // mov edx, length
            0x0F, 0x05, // syscall
            0xB8, 60, 0, 0, 0, // mov eax, 60 (exit)
            0x31, 0xFF, // xor edi, edi
            0x0F, 0x05, // syscall
        ];
        var file = new byte[HeadersSize + code.Length + text.Length];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(file, 0);
        Write16(file, 16, 2); // ET_EXEC
        Write16(file, 18, 62); // x86-64
        Write32(file, 20, 1);
        Write64(file, 24, LoadAddress + HeadersSize); // entry
        Write64(file, 32, 64); // program header's offset
        Write16(file, 52, 64);
        Write16(file, 54, 56);
        Write16(file, 56, 1); // one program header
        Write32(file, 64, 1); // PT_LOAD
        Write32(file, 68, 5); // readable, executable
        Write64(file, 80, LoadAddress);
        Write64(file, 88, LoadAddress);
        Write64(file, 96, (ulong)file.Length);
        Write64(file, 104, (ulong)file.Length);
        Write64(file, 112, 0x1000);
        code.CopyTo(file, HeadersSize);
        text.CopyTo(file, HeadersSize + code.Length);
        return file;
    }

    private static void Write16(byte[] file, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), value);

    private static void Write32(byte[] file, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);

    private static void Write64(byte[] file, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
}
