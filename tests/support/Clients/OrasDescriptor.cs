using System.Text.Json;

namespace Entrepot.TestSupport.Clients;

/// <summary>What a client knows of content before it has it. Source: OCI image spec 1.1, "Content Descriptors".</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="Digest"><c>sha256:…</c>.</param>
/// <param name="Size">How many bytes it has.</param>
/// <param name="ArtifactType">The type of the artifact, in an index of referrers; otherwise null.</param>
public sealed record OrasDescriptor(string MediaType, string Digest, long Size, string? ArtifactType = null)
{
    internal static OrasDescriptor Of(JsonElement element) => new(
        element.GetProperty("mediaType").GetString()!,
        element.GetProperty("digest").GetString()!,
        element.GetProperty("size").GetInt64(),
        element.TryGetProperty("artifactType", out var type) ? type.GetString() : null);
}
