namespace Entrepot.TestSupport.Upstream;

/// <summary>A manifest as a <see cref="MemoryRegistry"/> answers it. Immutable.</summary>
/// <param name="Bytes">The body.</param>
/// <param name="ContentType">The header; null leaves it out.</param>
/// <param name="Digest">What it is found by, and what Docker-Content-Digest says.</param>
/// <param name="SaysDigest">Whether there is a Docker-Content-Digest at all.</param>
public sealed record MemoryManifest(byte[] Bytes, string? ContentType, string Digest, bool SaysDigest);

/// <summary>One answer that a <see cref="MemoryRegistry"/> gives to one path, whatever it holds there.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body; HEAD gets only its length.</param>
/// <param name="ContentType">The header; null leaves it out.</param>
/// <param name="Headers">More headers.</param>
public sealed record MemoryAnswer(int Status, byte[] Body, string? ContentType, params (string Name, string Value)[] Headers);

/// <summary>One request as it reached a <see cref="MemoryRegistry"/>, with all its headers (names in lower case).</summary>
public sealed record MemoryRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers);

