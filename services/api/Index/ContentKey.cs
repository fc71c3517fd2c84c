namespace Entrepot.Api.Index;

/// <summary>What a repository of an upstream is asked for: a tag or a digest. Rights differ by repository, so the same digest in two of them is two keys.</summary>
internal readonly record struct ContentKey(string Upstream, string Repository, string Reference);
