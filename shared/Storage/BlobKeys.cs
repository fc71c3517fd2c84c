using System.Globalization;
using Entrepot.Oci;

namespace Entrepot.Storage;

/// <summary>The names of objects and spools: <c>sha256/ab/&lt;hex&gt;.&lt;fence&gt;</c>. The fence makes each name one owner's.</summary>
public static class BlobKeys
{
    public static string Of(Digest digest, long fence) =>
        string.Create(CultureInfo.InvariantCulture, $"{digest.Algorithm}/{digest.Hex[..2]}/{digest.Hex}.{fence}");

    /// <summary>Reads a key back from its last parts.</summary>
    public static bool TryParse(string algorithm, string name, out Digest digest, out long fence)
    {
        fence = 0;
        digest = default;
        var dot = name.LastIndexOf('.');
        return dot > 0
            && long.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out fence)
            && Digest.TryParse($"{algorithm}:{name[..dot]}", out digest);
    }
}
