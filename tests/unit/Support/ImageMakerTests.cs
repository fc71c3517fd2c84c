using System.Diagnostics;
using System.IO.Compression;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Support;

public sealed class ImageMakerTests
{
    [Fact]
    public async Task Images_have_the_same_digest_each_time()
    {
        using var folder = new TempFolder();
        using var other = new TempFolder();
        Assert.Equal(ImageMaker.Small().Digest, ImageMaker.Small().Digest);
        Assert.NotEqual(ImageMaker.Small().Digest, ImageMaker.Small("other").Digest);
        Assert.Equal(ImageMaker.Index().Digest, ImageMaker.Index().Digest);
        Assert.Equal((await ImageMaker.BigAsync(3, 7, folder)).Digest, (await ImageMaker.BigAsync(3, 7, other)).Digest);
    }

    [Fact]
    public async Task A_big_layer_on_disk_is_the_gzip_of_the_tar_its_diff_id_names()
    {
        using var folder = new TempFolder();
        var layer = await LayerMaker.IncompressibleOnDiskAsync(5 << 20, seed: 3, folder);
        await using var bytes = layer.Content.Open();
        using var packed = new MemoryStream();
        await bytes.CopyToAsync(packed);
        Assert.Equal(layer.Size, packed.Length);
        Assert.InRange(packed.Length, 5 << 20, (5 << 20) + (64 << 10));
        Assert.Equal(layer.Digest, Content.DigestOf(packed.ToArray()));
        packed.Position = 0;
        using var tar = new MemoryStream();
        await new GZipStream(packed, CompressionMode.Decompress).CopyToAsync(tar);
        Assert.Equal(layer.DiffId, Content.DigestOf(tar.ToArray()));
    }

    [Fact]
    public void Forty_layers_are_forty_different_blobs() =>
        Assert.Equal(40, ImageMaker.ManyLayers().Layers.Select(layer => layer.Digest).Distinct().Count());

    [Fact]
    public void The_hello_program_runs_and_says_hello()
    {
        if (System.Runtime.InteropServices.RuntimeInformation.OSArchitecture != System.Runtime.InteropServices.Architecture.X64) return;
        using var folder = new TempFolder();
        var layer = LayerMaker.Hello();
        using (var bytes = layer.Content.Open())
        using (var gzip = new GZipStream(bytes, CompressionMode.Decompress))
        {
            System.Formats.Tar.TarFile.ExtractToDirectory(gzip, folder.FullPath, overwriteFiles: false);
        }

        using var program = Process.Start(new ProcessStartInfo(folder.File("hello")) { RedirectStandardOutput = true })!;
        Assert.Equal("hello from a test image\n", program.StandardOutput.ReadToEnd());
        program.WaitForExit();
        Assert.Equal(0, program.ExitCode);
    }
}
