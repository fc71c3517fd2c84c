using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Oci;

/// <summary>
/// What a manifest is asked for by: a tag or a digest, never both (a tag cannot contain the colon of a digest). <c>default</c> is none
/// and throws when its text is asked for. Source: OCI distribution-spec v1.1, Pulling manifests.
/// </summary>
public readonly record struct Reference : IParsable<Reference>
{
    private readonly Digest _digest;
    private readonly string? _tag;

    private Reference(Digest digest) => _digest = digest;

    private Reference(string tag) => _tag = tag;

    /// <summary>The digest, or null when this is a tag.</summary>
    public Digest? Digest => IsDigest ? _digest : null;

    /// <summary>The tag, or null when this is a digest.</summary>
    public string? Tag => _tag;

    /// <summary>Whether this names content rather than a pointer to it.</summary>
    public bool IsDigest => _tag is null && _digest != default;

    /// <summary>The reference that is this digest.</summary>
    public static Reference To(Digest digest) => new(digest);

    /// <summary>The reference that is this tag.</summary>
    public static Reference To(Tag tag) => new(tag.ToString());

    /// <summary>Reads a tag or a digest; the given string itself is kept, nothing is allocated.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Reference reference)
    {
        if (Oci.Digest.TryParse(text, out var digest))
        {
            reference = new Reference(digest);
            return true;
        }

        var valid = Oci.Tag.TryParse(text, out _);
        reference = valid ? new Reference(text!) : default;
        return valid;
    }

    /// <summary>Reads a tag or a digest; allocates its text only when it is valid.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Reference reference)
    {
        if (Oci.Digest.TryParse(text, out var digest))
        {
            reference = new Reference(digest);
            return true;
        }

        var valid = Oci.Tag.TryParse(text, out var tag);
        reference = valid ? To(tag) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, out Reference)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Reference result) => TryParse(s, out result);

    /// <summary>Reads a tag or a digest that must be one.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static Reference Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var reference) ? reference : throw new FormatException(
            $"'{SafeText.Of(s)}' is neither a tag nor a sha256 or sha512 digest.");

    /// <summary>The tag's or digest's text; always the same instance.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>.</exception>
    public override string ToString() => _tag ?? _digest.ToString();
}
