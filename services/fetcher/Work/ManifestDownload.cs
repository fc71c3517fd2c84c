using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Manifests as an upstream has them: read for what they refer to, and kept byte for byte.</summary>
internal sealed class ManifestDownload(UpstreamClient client)
{
    public Task<UpstreamResult<ManifestHead>> HeadAsync(Upstream upstream, string repository, string reference, CancellationToken cancellationToken) =>
        client.HeadManifestAsync(upstream, repository, reference, cancellationToken);

    /// <summary>The manifest ready to be stored, or why there is none: what is no manifest is Corrupt.</summary>
    public async Task<(StoredManifest? Manifest, UpstreamFailure? Failure)> GetAsync(
        Upstream upstream, string repository, string reference, CancellationToken cancellationToken)
    {
        var result = await client.GetManifestAsync(upstream, repository, reference, cancellationToken);
        if (!result.IsSuccess) return (null, result.Failure);
        var body = result.Value;
        ParsedManifest parsed;
        try
        {
            parsed = ManifestReader.Read(body.Bytes, body.MediaType);
        }
        catch (InvalidManifestException error)
        {
            return (null, new UpstreamFailure(FetchOutcome.Corrupt, $"{upstream.Name}/{repository}:{reference} is no manifest: {error.Message}"));
        }
        return (new StoredManifest
        {
            Digest = body.Digest.ToString(),
            MediaType = parsed.MediaType,
            Bytes = body.Bytes.ToArray(),
            Subject = parsed.Subject?.Digest.ToString(),
            ArtifactType = parsed.ArtifactType,
            References = [.. parsed.Children.Select(c => new ManifestReference(
                c.Descriptor.Digest.ToString(), c.Role, c.Descriptor.Size, c.Descriptor.MediaType, c.Descriptor.Platform))],
        }, null);
    }
}
