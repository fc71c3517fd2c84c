using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Manifests as an upstream has them: checked against their digest, read for what they refer to, and kept byte for byte.</summary>
internal sealed class ManifestDownload(UpstreamClient client)
{
    public Task<UpstreamResult<ManifestHead>> HeadAsync(Upstream upstream, string repository, string reference, CancellationToken cancellationToken) =>
        client.HeadManifestAsync(upstream, repository, reference, cancellationToken);

    /// <summary>The manifest ready to be stored, or why there is none: bytes that are not what the digest or the media type says are Corrupt.</summary>
    public async Task<(StoredManifest? Manifest, UpstreamFailure? Failure)> GetAsync(
        Upstream upstream, string repository, string reference, Digest? expected, CancellationToken cancellationToken)
    {
        var result = await client.GetManifestAsync(upstream, repository, reference, cancellationToken);
        if (result.Failure is { } failure) return (null, failure);
        var body = result.Value!;
        var actual = expected is { } e ? Digest.FromHash(e.Algorithm, Hash(e, body.Bytes)) : Digest.Sha256Of(body.Bytes.Span);
        if (expected is { } wanted && actual != wanted)
            return (null, Corrupt($"bytes of {actual} for {wanted}"));
        if (body.Digest is { } claimed && claimed != actual && claimed.Algorithm == actual.Algorithm)
            return (null, Corrupt($"a Docker-Content-Digest of {claimed} with bytes of {actual}"));
        ParsedManifest parsed;
        try
        {
            parsed = ManifestReader.Read(body.Bytes, body.MediaType);
        }
        catch (InvalidManifestException error)
        {
            return (null, Corrupt($"no manifest: {error.Message}"));
        }
        return (new StoredManifest
        {
            Digest = actual.ToString(),
            MediaType = parsed.MediaType,
            Bytes = body.Bytes,
            Subject = parsed.Subject?.Digest.ToString(),
            ArtifactType = parsed.ArtifactType,
            References = [.. parsed.Children.Select(c => new StoredReference(
                c.Descriptor.Digest.ToString(), c.Role.ToString(), c.Descriptor.Size, c.Descriptor.MediaType, c.Descriptor.Platform))],
        }, null);

        UpstreamFailure Corrupt(string what) => new(FetchOutcome.Corrupt, $"{upstream.Name}/{repository}:{reference}: the upstream sent {what}", null, null);
    }

    private static byte[] Hash(Digest digest, ReadOnlyMemory<byte> bytes)
    {
        using var hash = digest.CreateHash();
        hash.AppendData(bytes.Span);
        return hash.GetHashAndReset();
    }
}
