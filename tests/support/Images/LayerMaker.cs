using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Images;

/// <summary>Makes layers, the same bytes each time for the same arguments.</summary>
public static class LayerMaker
{
    private const int Chunk = 1 << 20;

    /// <summary>A small layer of files.</summary>
    /// <param name="files">Path, bytes and mode of each file.</param>
    /// <param name="compression">How to pack it.</param>
    public static Layer OfFiles(IEnumerable<(string Path, byte[] Bytes, UnixFileMode Mode)> files, Compression compression = Compression.Gzip)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (path, bytes, mode) in files) writer.WriteEntry(Entry(path, mode, new MemoryStream(bytes)));
        }

        var raw = tar.ToArray();
        return new Layer(Content.Of(Pack(raw, compression)), Content.DigestOf(raw), compression);
    }

    /// <summary>A layer that holds <c>/hello</c>, a program that runs without any other file (x86-64) and says hello.</summary>
    public static Layer Hello(Compression compression = Compression.Gzip) =>
        OfFiles([("hello", HelloProgram.Bytes, ProgramMode)], compression);

    /// <summary>A small layer of one file of incompressible bytes.</summary>
    /// <param name="sizeBytes">Size of the file; the layer is a little larger.</param>
    /// <param name="seed">Other bytes for another seed.</param>
    /// <param name="compression">How to pack it.</param>
    public static Layer Incompressible(int sizeBytes, int seed, Compression compression = Compression.Gzip)
    {
        var bytes = new byte[sizeBytes];
        new Noise(seed).Fill(bytes);
        return OfFiles([($"noise-{seed}.bin", bytes, FileMode)], compression);
    }

    /// <summary>A large layer of one file of incompressible bytes, streamed to disk: tar+gzip with stored blocks, quick to make and to unpack.</summary>
    /// <param name="sizeBytes">Size of the file; the layer is larger by less than 0.1 %.</param>
    /// <param name="seed">Other bytes for another seed.</param>
    /// <param name="folder">Where the layer's file lies; it must outlive the layer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Layer> IncompressibleOnDiskAsync(long sizeBytes, int seed, TempFolder folder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = folder.File($"layer-{sizeBytes}-{seed}.tar.gz");
        string digest, diffId;
        await using (var file = new FileStream(path, System.IO.FileMode.Create, FileAccess.Write, FileShare.None, Chunk, FileOptions.Asynchronous))
        await using (var packed = new HashingStream(file))
        {
            await using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
            await using (var tar = new HashingStream(gzip))
            {
                await using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
                {
                    await writer.WriteEntryAsync(Entry("big.bin", FileMode, new NoiseStream(sizeBytes, seed)), cancellationToken);
                }

                diffId = tar.Digest();
            }

            digest = packed.Digest();
        }

        return new Layer(Content.InFile(path, digest, new FileInfo(path).Length), diffId, Compression.Gzip);
    }

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode ProgramMode = FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // Ustar and not Pax: .NET puts its process id into the names of pax headers, and the digest would change with every run.
    private static UstarTarEntry Entry(string path, UnixFileMode mode, Stream data) =>
        new(TarEntryType.RegularFile, path) { Mode = mode, ModificationTime = DateTimeOffset.UnixEpoch, DataStream = data };

    private static byte[] Pack(byte[] raw, Compression compression)
    {
        switch (compression)
        {
            case Compression.None:
                return raw;
            case Compression.Zstd:
                return StoredZstd.Pack(raw);
            default:
                using (var packed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(raw);
                    return packed.ToArray();
                }
        }
    }

    private sealed class HashingStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public string Digest() => "sha256:" + Convert.ToHexStringLower(_hash.GetCurrentHash());
        public override void Flush() => inner.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer);
            inner.Write(buffer);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _hash.AppendData(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
