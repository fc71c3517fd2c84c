using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Oci;

/// <summary>
/// A request's path, read once. It is read from the right, because a name may itself contain <c>manifests</c>, <c>blobs</c> or <c>tags</c>.
/// Allocates the name and the reference, nothing else. Source: OCI distribution-spec v1.1, Endpoints.
/// </summary>
public readonly record struct OciPath
{
    private readonly RepositoryName _name;
    private readonly Reference _reference;

    private OciPath(OciRoute route, RepositoryName name = default, Reference reference = default)
    {
        Route = route;
        _name = name;
        _reference = reference;
    }

    /// <summary>What is asked for.</summary>
    public OciRoute Route { get; }

    /// <summary>The name as the client wrote it, an upstream's prefix included; none (<c>default</c>) for Base and Catalog.</summary>
    public RepositoryName Name => _name;

    /// <summary>The tag or digest of Manifest, the digest of Blob and Referrers; none (<c>default</c>) for the others.</summary>
    public Reference Reference => _reference;

    /// <summary>The digest of Blob and Referrers, and of a Manifest asked for by digest; null otherwise.</summary>
    public Digest? Digest => _reference.Digest;

    /// <summary>The tag of a Manifest asked for by tag; null otherwise.</summary>
    public string? Tag => _reference.Tag;

    /// <summary>Reads a path, without its query, as the server hands it out: percent escapes that are left in it are resolved, once.</summary>
    /// <param name="path">Such as <c>/v2/library/nginx/manifests/latest</c>.</param>
    /// <param name="result">What it asks for, when it is valid.</param>
    /// <param name="error">
    /// Why not: <c>NAME_INVALID</c>, <c>TAG_INVALID</c>, <c>DIGEST_INVALID</c> (400), or <c>NAME_UNKNOWN</c> (404) for a path that is none of ours.
    /// </param>
    public static bool TryParse(string path, out OciPath result, [NotNullWhen(false)] out OciError? error)
    {
        result = default;
        error = null;
        var rest = path.AsSpan();
        if (rest is "/v2" or "/v2/")
        {
            result = new OciPath(OciRoute.Base);
            return true;
        }

        if (!rest.StartsWith("/v2/", StringComparison.Ordinal))
        {
            error = NoSuchRoute(path);
            return false;
        }

        rest = PercentEscapes.Resolve(rest["/v2/".Length..]);
        if (rest is "_catalog")
        {
            result = new OciPath(OciRoute.Catalog);
            return true;
        }

        // <name>/<word>/<last>, and one form with a segment more: <name>/blobs/uploads/<session>.
        var name = BeforeLast(rest, out var last);
        name = BeforeLast(name, out var word);
        switch (word)
        {
            case "manifests":
                return TryManifest(name, last, out result, out error);
            case "blobs" when last is "uploads":
                return TryNamed(OciRoute.Upload, name, out result, out error);
            case "blobs":
                return TryByDigest(OciRoute.Blob, name, last, out result, out error);
            case "referrers":
                return TryByDigest(OciRoute.Referrers, name, last, out result, out error);
            case "tags" when last is "list":
                return TryNamed(OciRoute.TagList, name, out result, out error);
            case "uploads":
                name = BeforeLast(name, out word);
                if (word is "blobs")
                    return TryNamed(OciRoute.Upload, name, out result, out error);
                break;
        }

        error = NoSuchRoute(path);
        return false;
    }

    /// <summary>The path this was read from, in its plain form.</summary>
    public override string ToString() => Route switch
    {
        OciRoute.Catalog => "/v2/_catalog",
        OciRoute.Manifest => $"/v2/{_name}/manifests/{_reference}",
        OciRoute.Blob => $"/v2/{_name}/blobs/{_reference}",
        OciRoute.Upload => $"/v2/{_name}/blobs/uploads/",
        OciRoute.TagList => $"/v2/{_name}/tags/list",
        OciRoute.Referrers => $"/v2/{_name}/referrers/{_reference}",
        _ => "/v2/",
    };

    private static ReadOnlySpan<char> BeforeLast(ReadOnlySpan<char> text, out ReadOnlySpan<char> last)
    {
        var slash = text.LastIndexOf('/');
        last = text[(slash + 1)..];
        return slash < 0 ? default : text[..slash];
    }

    private static bool TryManifest(ReadOnlySpan<char> nameText, ReadOnlySpan<char> text, out OciPath result, [NotNullWhen(false)] out OciError? error)
    {
        result = default;
        if (!TryName(nameText, out var name, out error))
            return false;

        if (!Reference.TryParse(text, out var reference))
        {
            // A tag has no colon: with one, a digest was meant.
            error = text.Contains(':') ? BadDigest(text) : new OciError(
                OciErrorCode.TagInvalid,
                $"tag '{SafeText.Of(text)}' is invalid: use 1 to 128 letters, digits, '_', '.' and '-', not starting with '.' or '-'");
            return false;
        }

        result = new OciPath(OciRoute.Manifest, name, reference);
        return true;
    }

    private static bool TryByDigest(
        OciRoute route, ReadOnlySpan<char> nameText, ReadOnlySpan<char> text, out OciPath result, [NotNullWhen(false)] out OciError? error)
    {
        result = default;
        if (!TryName(nameText, out var name, out error))
            return false;

        if (!Oci.Digest.TryParse(text, out var digest))
        {
            error = BadDigest(text);
            return false;
        }

        result = new OciPath(route, name, Reference.To(digest));
        return true;
    }

    private static bool TryNamed(OciRoute route, ReadOnlySpan<char> nameText, out OciPath result, [NotNullWhen(false)] out OciError? error)
    {
        var valid = TryName(nameText, out var name, out error);
        result = valid ? new OciPath(route, name) : default;
        return valid;
    }

    private static bool TryName(ReadOnlySpan<char> text, out RepositoryName name, [NotNullWhen(false)] out OciError? error)
    {
        if (RepositoryName.TryParse(text, out name))
        {
            error = null;
            return true;
        }

        error = new OciError(OciErrorCode.NameInvalid, text.Length > RepositoryName.MaxLength
            ? $"repository name '{SafeText.Of(text)}' is invalid: it has {text.Length} characters, at most {RepositoryName.MaxLength} are allowed"
            : $"repository name '{SafeText.Of(text)}' is invalid: use lower-case letters and digits, with '.', '_', '__' or '-' only between them, in parts separated by one '/'");
        return false;
    }

    private static OciError BadDigest(ReadOnlySpan<char> text) => new(
        OciErrorCode.DigestInvalid,
        $"digest '{SafeText.Of(text)}' is invalid: write sha256: and 64, or sha512: and 128, lower-case hex digits");

    private static OciError NoSuchRoute(string path) => new(
        OciErrorCode.NameUnknown,
        $"path '{SafeText.Of(path)}' is unknown: ask for /v2/<name>/manifests/<tag or digest>, /v2/<name>/blobs/<digest>, /v2/<name>/tags/list, /v2/<name>/referrers/<digest> or /v2/_catalog");
}
