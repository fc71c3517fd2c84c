using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>What clients ask for, as they write it.</summary>
internal static class Sample
{
    public const string Upstream = "docker.io";
    public const string Repository = "library/nginx";
    public const string Tag = "1.27-alpine";
    public const long LayerBytes = 30_000_000;

    public static readonly Digest Digest = Digest.Sha256Of("sample"u8);
    public static readonly Digest OtherDigest = Digest.Sha256Of("another"u8);

    /// <summary>An equal string that is another object, as every request brings its own.</summary>
    public static string Copy(string text) => new(text.AsSpan());

    /// <summary>Stops a measurement of something other than what its name says.</summary>
    public static void Check(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException($"Not so: {what}");
    }
}
