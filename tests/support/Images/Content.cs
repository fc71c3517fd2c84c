using System.Security.Cryptography;

namespace Entrepot.TestSupport.Images;

/// <summary>Bytes with their digest: a blob, in memory or on disk. Immutable.</summary>
public sealed class Content
{
    private readonly Func<Stream> _open;

    private Content(string digest, long size, Func<Stream> open)
    {
        Digest = digest;
        Size = size;
        _open = open;
    }

    /// <summary><c>sha256:…</c> of the bytes.</summary>
    public string Digest { get; }

    /// <summary>Number of bytes.</summary>
    public long Size { get; }

    /// <summary>Content of these bytes.</summary>
    public static Content Of(byte[] bytes) => new(DigestOf(bytes), bytes.LongLength, () => new MemoryStream(bytes, writable: false));

    /// <summary>The digest of some bytes, <c>sha256:…</c>.</summary>
    public static string DigestOf(ReadOnlySpan<byte> bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>A new stream over the bytes.</summary>
    public Stream Open() => _open();

    internal static Content InFile(string path, string digest, long size) =>
        new(digest, size, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous));
}
