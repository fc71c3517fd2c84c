using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Entrepot.Oci;

/// <summary>
/// A content digest: <c>sha256:</c> and 64 or <c>sha512:</c> and 128 lower-case hex digits. Only parsing and hashing make one, so a value
/// is always valid; <c>default</c> is none and throws when its text is asked for. Source: OCI image-spec v1.1, descriptor.md, Digests.
/// </summary>
public readonly record struct Digest : IParsable<Digest>
{
    /// <summary>The algorithm every registry speaks.</summary>
    public const string Sha256 = "sha256";

    /// <summary>The other registered algorithm.</summary>
    public const string Sha512 = "sha512";

    private const int PrefixLength = 7;
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");
    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary><see cref="Sha256"/> or <see cref="Sha512"/>.</summary>
    public string Algorithm => IsSha256 ? Sha256 : Sha512;

    /// <summary>The hex digits alone: 64 or 128 of them. Allocates.</summary>
    public string Hex => ToString()[PrefixLength..];

    private bool IsSha256 => ToString().Length == PrefixLength + 64;

    /// <summary>The sha256 digest of content held in memory.</summary>
    public static Digest Sha256Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromHash(Sha256, hash);
    }

    /// <summary>The digest whose hash has been computed elsewhere, such as by <see cref="CreateHash"/>.</summary>
    /// <exception cref="ArgumentException">The algorithm is unknown or the hash has not its length.</exception>
    public static Digest FromHash(string algorithm, ReadOnlySpan<byte> hash)
    {
        var sizeBytes = algorithm switch
        {
            Sha256 => SHA256.HashSizeInBytes,
            Sha512 => SHA512.HashSizeInBytes,
            _ => throw new ArgumentException($"Algorithm '{SafeText.Of(algorithm)}' is not supported: use sha256 or sha512.", nameof(algorithm)),
        };
        if (hash.Length != sizeBytes)
            throw new ArgumentException($"A {algorithm} hash has {sizeBytes} bytes, not {hash.Length}.", nameof(hash));

        Span<char> text = stackalloc char[PrefixLength + (2 * SHA512.HashSizeInBytes)];
        algorithm.CopyTo(text);
        text[PrefixLength - 1] = ':';
        Convert.TryToHexStringLower(hash, text[PrefixLength..], out var written);
        return new Digest(new string(text[..(PrefixLength + written)]));
    }

    /// <summary>Reads a digest; the given string itself is kept, nothing is allocated.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        var valid = text is not null && IsValid(text);
        digest = valid ? new Digest(text!) : default;
        return valid;
    }

    /// <summary>Reads a digest; allocates its text only when it is valid.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Digest digest)
    {
        var valid = IsValid(text);
        digest = valid ? new Digest(text.ToString()) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, out Digest)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Digest result) => TryParse(s, out result);

    /// <summary>Reads a digest that must be one.</summary>
    /// <exception cref="FormatException">It is not a valid sha256 or sha512 digest.</exception>
    public static Digest Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var digest) ? digest : throw new FormatException(
            $"'{SafeText.Of(s)}' is not a digest: write sha256: and 64, or sha512: and 128, lower-case hex digits.");

    /// <summary>A new running hash of this digest's algorithm, owned by the caller; finish it with <see cref="FromHash"/>.</summary>
    public IncrementalHash CreateHash() =>
        IncrementalHash.CreateHash(IsSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512);

    /// <summary>Whether the content is what this digest names. Allocates nothing.</summary>
    public bool Matches(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        var hashed = IsSha256 ? SHA256.HashData(content, hash) : SHA512.HashData(content, hash);
        Span<char> hex = stackalloc char[2 * SHA512.HashSizeInBytes];
        Convert.TryToHexStringLower(hash[..hashed], hex, out var written);
        return ToString().AsSpan(PrefixLength).SequenceEqual(hex[..written]);
    }

    /// <summary>The digest's text, <c>algorithm:hex</c>; always the same instance.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>.</exception>
    public override string ToString() => _text ?? throw new InvalidOperationException("default(Digest) has no text.");

    private static bool IsValid(ReadOnlySpan<char> text) =>
        ((text.Length == PrefixLength + 64 && text.StartsWith("sha256:", StringComparison.Ordinal))
            || (text.Length == PrefixLength + 128 && text.StartsWith("sha512:", StringComparison.Ordinal)))
        && !text[PrefixLength..].ContainsAnyExcept(LowerHex);
}
