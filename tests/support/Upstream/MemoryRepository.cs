using System.Collections.Concurrent;
using System.Security.Cryptography;
using Entrepot.TestSupport.Images;

namespace Entrepot.TestSupport.Upstream;

/// <summary>One repository of a <see cref="MemoryRegistry"/>. Takes any bytes: nothing is checked. Safe to use from several threads.</summary>
public sealed class MemoryRepository
{
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new();
    private readonly ConcurrentDictionary<string, MemoryManifest> _manifests = new();
    private readonly ConcurrentDictionary<string, string> _tags = new();
    private readonly ConcurrentDictionary<string, string[][]> _referrers = new();

    /// <summary>Whether <c>/referrers/</c> is answered; otherwise it is a 404, as of a registry that is older than it.</summary>
    public bool HasReferrers { get; set; } = true;

    /// <summary>Most tags in one page; null puts them all in one.</summary>
    public int? TagPage { get; set; }

    /// <summary>What the list of tags says in place of the tags there are, in any order; null is the tags there are.</summary>
    public IReadOnlyList<string>? ListedTags { get; set; }

    internal IReadOnlyList<string> Tags => ListedTags ?? [.. _tags.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Adds a blob.</summary>
    /// <returns>Its digest.</returns>
    public string AddBlob(byte[] bytes, bool sha512 = false)
    {
        var digest = DigestOf(bytes, sha512);
        _blobs[digest] = bytes;
        return digest;
    }

    /// <summary>Adds bytes under a digest that need not be theirs.</summary>
    public void AddBlobAs(string digest, byte[] bytes) => _blobs[digest] = bytes;

    /// <summary>Adds an image and lets a tag point to it.</summary>
    public void AddImage(Image image, string tag)
    {
        ArgumentNullException.ThrowIfNull(image);
        foreach (var blob in image.Blobs)
        {
            var bytes = new byte[blob.Size];
            using var from = blob.Open();
            from.ReadExactly(bytes);
            _blobs[blob.Digest] = bytes;
        }

        AddManifest(image.ManifestBytes.ToArray(), image.MediaType, tag);
    }

    /// <summary>Adds a manifest and lets tags point to it.</summary>
    /// <param name="bytes">The body.</param>
    /// <param name="contentType">The header; null leaves it out.</param>
    /// <param name="tags">Tags that point to it from now on.</param>
    /// <returns>Its digest.</returns>
    public string AddManifest(byte[] bytes, string? contentType, params string[] tags) =>
        AddManifest(new MemoryManifest(bytes, contentType, DigestOf(bytes, sha512: false), SaysDigest: true), tags);

    /// <inheritdoc cref="AddManifest(byte[], string?, string[])"/>
    public string AddManifest(MemoryManifest manifest, params string[] tags)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        _manifests[manifest.Digest] = manifest;
        foreach (var tag in tags) _tags[tag] = manifest.Digest;
        return manifest.Digest;
    }

    /// <summary>Lets a tag point to a manifest.</summary>
    public void Tag(string tag, string digest) => _tags[tag] = digest;

    /// <summary>Takes a tag away.</summary>
    public void Untag(string tag) => _tags.TryRemove(tag, out _);

    /// <summary>Sets the referrers of a digest; without, it has an empty page.</summary>
    /// <param name="subject">The digest.</param>
    /// <param name="pages">The pages, each of descriptors: JSON that is sent as it is.</param>
    public void SetReferrers(string subject, params string[][] pages) => _referrers[subject] = pages;

    /// <summary>The digest of some bytes.</summary>
    public static string DigestOf(ReadOnlySpan<byte> bytes, bool sha512) =>
        sha512 ? "sha512:" + Convert.ToHexStringLower(SHA512.HashData(bytes)) : Content.DigestOf(bytes);

    internal byte[]? BlobOrNull(string digest) => _blobs.GetValueOrDefault(digest);

    internal MemoryManifest? ManifestOrNull(string reference) =>
        _manifests.GetValueOrDefault(reference.Contains(':', StringComparison.Ordinal) ? reference : _tags.GetValueOrDefault(reference) ?? "");

    internal string[][] ReferrersOf(string digest) => _referrers.GetValueOrDefault(digest) ?? [[]];
}
