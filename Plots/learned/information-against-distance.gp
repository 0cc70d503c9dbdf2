# Mutual information of a token and a reference, against their distance.
#
# token-entropy 0.1.0
# command: appendix-figures --tokens learned --output-dir Plots/learned --figure-format png
# input: learned-24x24.h5, hash xxh64:65c90d0c40dd5097
#
# Draw it in this folder:    gnuplot information-against-distance.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" information-against-distance.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'information-against-distance.'.format
data = 'information-against-distance.dat'
width = 620.; height = 368.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,11" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,11" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

set lmargin at screen X(55); set rmargin at screen X(455)
set tmargin at screen Y(17.6); set bmargin at screen Y(287.6)
set label 1 'Mean over the tokens at each distance; bars: standard error. Data: learned-24x24.h5; m = 10,000 images,' at screen X(55),screen Y(340.4) left font ",9.35" textcolor rgb '#404040'
set label 2 'd = 8 feature dimensions; bound: debiased.' at screen X(55),screen Y(354.15) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'distance to the reference token [cells]'
set ylabel 'mutual information [nats]'
set xrange [-0.2:26.2]
set xtics out nomirror scale 0.5 ('0' 0.0, '5' 5.0, '10' 10.0, '15' 15.0, '20' 20.0, '25' 25.0)
set yrange [-0.06:1.57]
set ytics out nomirror scale 0.5 ('0' 0.0, '0.5' 0.5, '1' 1.0, '1.5' 1.5)
set key at screen X(468.2),screen Y(17.6) left top Left reverse vertical maxrows 4 samplen 2 spacing 1.2 font ",9.9"

plot data index 0 using 1:2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 0 using 1:2 with linespoints dashtype 1 lw 1.4 pointtype 7 pointsize 0.8 lc rgb '#0072b2' title 'reference (12, 12)', \
  data index 1 using 1:2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 1 using 1:2 with linespoints dashtype 2 lw 1.4 pointtype 5 pointsize 0.8 lc rgb '#d55e00' title 'reference (4, 6)', \
  data index 2 using 1:2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 2 using 1:2 with linespoints dashtype 3 lw 1.4 pointtype 9 pointsize 0.8 lc rgb '#009e73' title 'reference (8, 20)', \
  data index 3 using 1:2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 3 using 1:2 with linespoints dashtype 4 lw 1.4 pointtype 13 pointsize 0.8 lc rgb '#cc79a7' title 'reference (20, 8)'
unset output
