namespace Entrepot.Oci;

/// <summary>One entry of a list of referrers.</summary>
/// <param name="Digest">The referrer's digest as written; perhaps of an algorithm we do not know.</param>
/// <param name="ArtifactType">Its artifact type, or null when the entry says none.</param>
/// <param name="Json">The descriptor as its author wrote it, with everything it says.</param>
public sealed record Referrer(string Digest, string? ArtifactType, ReadOnlyMemory<byte> Json)
{
    /// <summary>The entry of a manifest that refers to something. Source: OCI distribution-spec v1.1, Listing Referrers.</summary>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="sizeBytes">Its size.</param>
    /// <param name="artifactType">Its artifact type, else its config's media type; null for an index that says none.</param>
    /// <param name="annotations">Its annotations, if any.</param>
    public static Referrer Of(string digest, string mediaType, long sizeBytes, string? artifactType, IReadOnlyDictionary<string, string>? annotations)
    {
        var json = ReferrersIndex.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("mediaType"u8, mediaType);
            writer.WriteString("digest"u8, digest);
            writer.WriteNumber("size"u8, sizeBytes);
            if (artifactType is not null)
                writer.WriteString("artifactType"u8, artifactType);
            if (annotations is not null)
            {
                writer.WriteStartObject("annotations"u8);
                foreach (var (name, value) in annotations)
                    writer.WriteString(name, value);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        });
        return new Referrer(digest, artifactType, json);
    }
}
